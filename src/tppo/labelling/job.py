"""Label files of articles in batches, with bounded memory, resumable, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tppo import __version__
from tppo.classify import ModusModel
from tppo.console import progress
from tppo.corpus import Limits, Rejected, find_files
from tppo.errors import UsageError
from tppo.labelling.batch import Labelled, Labeller, output_schema
from tppo.labelling.folder import JobFolder, open_folder
from tppo.labelling.index import Index, open_index
from tppo.labelling.inputs import DescribedFile, describe_files, make_batches, rows_of
from tppo.labelling.pool import Batch, Engine, in_processes, in_this_process
from tppo.labelling.stories import with_stories
from tppo.labelling.summary import LabelSummary

__all__ = ["LabelOptions", "label_files", "run_job"]


@dataclass(frozen=True)
class LabelOptions:
    """How a job labels; all but `batch_size` belong to what must not change when it is taken up again.

    Parameters
    ----------
    format : {"parquet", "jsonl", "csv"}
        Of the parts.
    bom : bool
        Begin CSV with a byte order mark.
    batch_size : int
        Articles labelled at once.
    rows_per_part : int
        Input rows that make a part.
    max_chars : int
        Longer bodies are quarantined.
    copies : {"ignore", "mark", "share"}
        ``mark`` writes the id of the first article of a story into ``group`` of its copies; ``share`` gives them its
        labels as well, and labels texts that are the same to the letter once.
    sample : int, optional
        Label only so many rows, drawn evenly.
    """

    format: str = "parquet"
    bom: bool = False
    batch_size: int = 256
    rows_per_part: int = 10_000
    max_chars: int = 2_000_000
    copies: str = "mark"
    sample: int | None = None


def label_files(
    inputs: Iterable[str | Path],
    out: Path,
    model: ModusModel,
    *,
    model_name: str,
    options: LabelOptions | None = None,
    workers: int = 1,
    model_folder: Path | None = None,
    engine: Engine | None = None,
    fresh: bool = False,
) -> LabelSummary:
    """Label the articles of files, folders and globs.

    Parts are written under a temporary name and renamed when whole. A job that was stopped is taken up after its last
    whole part by the same call; one with another model, other inputs or options is refused unless `fresh`. The output
    is the same, byte for byte, from any number of workers.

    Parameters
    ----------
    inputs : iterable of str or Path
        As `find_files` takes them.
    out : Path
        Folder for ``part-*``, ``manifest.json`` and ``quarantine.jsonl``; made when missing.
    model : ModusModel
        What labels.
    model_name : str
        URI and digest, written into every row.
    options : LabelOptions, optional
        How.
    workers : int
        Processes that label; a job of few articles is done in this one all the same. A script that asks for more than
        one needs an ``if __name__ == "__main__"``.
    model_folder : Path, optional
        Where the model lies; needed for more than one worker.
    engine : Engine, optional
        Labels batches in place of processes on this machine.
    fresh : bool
        Remove an earlier job's files from `out` first.

    Returns
    -------
    LabelSummary
        Counts over the whole job, earlier sittings included.

    Raises
    ------
    DataError
        If an input does not exist or was changed meanwhile, `out` cannot be written, or a worker died.
    UsageError
        If `out` holds another job's output, or another job is at work there.
    """
    options = options or LabelOptions()
    labeller = Labeller(model, model_name, marks=options.copies != "ignore")
    if engine is None and workers > 1:
        if model_folder is None:
            raise UsageError(f"{workers} workers need model_folder, from which each loads the model")
        engine = in_processes(labeller, model_folder, workers)
    engine = engine or in_this_process(labeller)
    files = describe_files(find_files(inputs))

    def labelled(index: Index, done: int) -> Iterator[tuple[Batch, Labelled]]:
        """Label the rows after those done."""
        o = options
        rows = rows_of(files, limits=Limits(max_chars=o.max_chars), skip=done, sample=o.sample)
        once = o.copies == "share"
        return engine(
            make_batches(rows, index, first=done, size=o.batch_size, rows_per_part=o.rows_per_part, once=once)
        )

    return run_job(files, out, model, labelled, model_name=model_name, options=options, fresh=fresh)


def run_job(
    files: Sequence[DescribedFile],
    out: Path,
    model: ModusModel,
    labelled: Callable[[Index, int], Iterator[tuple[Batch, Labelled]]],
    *,
    model_name: str,
    options: LabelOptions,
    fresh: bool,
) -> LabelSummary:
    """Write labelled batches into a folder, wherever they come from: what all engines share.

    Parameters
    ----------
    files : sequence of DescribedFile
        The inputs, in order.
    out, model, model_name, options, fresh
        As `label_files` takes them.
    labelled : callable
        Takes the index of the job and a number of rows, and returns the batches after them in order, none across the
        end of a part; repeated ids are quarantined already.

    Returns
    -------
    LabelSummary
        Counts over the whole job, earlier sittings included.
    """
    with open_folder(out, _settings(files, model_name, options), fresh=fresh) as folder:
        if not folder.finished:
            with open_index(folder.index) as index:
                _Job(folder, index, model, options).run(files, labelled)
            folder.finish()
        return folder.summary


def _settings(files: Sequence[DescribedFile], model_name: str, options: LabelOptions) -> dict[str, Any]:
    """Return what the output depends on; a job goes on only with the same."""
    return {
        "model": model_name,
        "format": options.format,
        "bom": options.bom,
        "rows_per_part": options.rows_per_part,
        "max_chars": options.max_chars,
        "copies": options.copies,
        "sample": options.sample,
        "inputs": [[str(file.path), file.size, file.digest] for file in files],
        "version": __version__,
    }


@dataclass
class _Part:
    """What becomes one file."""

    tables: list[Any] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    n_rows: int = 0


class _Job:
    """One sitting of a job."""

    def __init__(self, folder: JobFolder, index: Index, model: ModusModel, options: LabelOptions) -> None:
        self.folder = folder
        self.index = index
        self.model = model
        self.options = options

    def run(
        self,
        files: Sequence[DescribedFile],
        labelled: Callable[[Index, int], Iterator[tuple[Batch, Labelled]]],
    ) -> None:
        """Label what is missing."""
        done = self.folder.summary.articles
        self.index.forget_from(done)
        known = [file.n_rows for file in files]
        total = None if self.options.sample is not None or None in known else sum(n for n in known if n is not None)
        with progress("labelling", "articles", total, done=done) as advance:
            self._write_parts(labelled(self.index, done), advance)
        for file in files:
            file.check()

    def _write_parts(self, labelled: Iterator[tuple[Batch, Labelled]], advance: Callable[[int], None]) -> None:
        """Write what comes in parts of equal length, and the rest at the end."""
        part, n_rows = _Part(), self.folder.summary.articles
        for batch, found in labelled:
            table = found.table
            if found.marks is not None:
                share = self.options.copies == "share"
                table, n_copies = with_stories(batch, found, self.index, share=share)
                self.folder.summary.copies += n_copies
            self.folder.summary.n_words += sum(n for n, _ in found.watched)
            self.folder.summary.n_new_words += sum(n for _, n in found.watched)
            part.tables.append(table)
            part.rejected += batch.rejected
            part.n_rows += batch.n_rows
            n_rows += batch.n_rows
            advance(batch.n_rows)
            if n_rows % self.options.rows_per_part == 0:
                self._finish_part(part)
                part = _Part()
        if part.n_rows:
            self._finish_part(part)
        self.folder.summary.check(n_rows)

    def _finish_part(self, part: _Part) -> None:
        """Write a part, and only then what says that it is done."""
        import pyarrow as pa

        table = pa.concat_tables(part.tables) if part.tables else output_schema(self.model.keys).empty_table()
        self.folder.write(table, part.rejected)
        self.folder.summary.add(table, part.rejected, self.model.keys, self.model.reference)
        self.index.commit()
        self.folder.record()
