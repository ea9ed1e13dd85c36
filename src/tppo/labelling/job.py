"""Label files of articles in batches, with bounded memory, resumable, nothing lost."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tppo import __version__
from tppo.classify import ModusModel
from tppo.console import progress
from tppo.corpus import Article, Limits, Rejected, find_files, read_articles
from tppo.errors import DataError, UsageError
from tppo.labelling.batch import label_articles
from tppo.labelling.parts import FORMATS

__all__ = ["LabelSummary", "label_files"]

MANIFEST, QUARANTINE, STATE = "manifest.json", "quarantine.jsonl", "state.json"


@dataclass
class LabelSummary:
    """What a labelling job did.

    Parameters
    ----------
    articles : int
        Rows of the inputs.
    labelled, quarantined : int
        Where they went; the two add up to `articles`.
    reviews : int
        Articles with at least one label to review.
    modus : dict
        Label key to number of articles that were given it, the context label included.
    n_tokens, n_tokens_dropped : int
        Tokens read, and tokens beyond the limits.
    reasons : dict
        Kind of quarantine reason to number of rows.
    parts : list of str
        Output files, in order.
    """

    articles: int = 0
    labelled: int = 0
    quarantined: int = 0
    reviews: int = 0
    modus: dict[str, int] = field(default_factory=dict)
    n_tokens: int = 0
    n_tokens_dropped: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)


def label_files(
    inputs: Iterable[str | Path],
    out: Path,
    model: ModusModel,
    *,
    model_name: str,
    format: str = "parquet",
    batch_size: int = 256,
    rows_per_part: int = 10_000,
    max_chars: int = 2_000_000,
    fresh: bool = False,
) -> LabelSummary:
    """Label the articles of files, folders and globs.

    Parts are written under a temporary name and renamed when whole. A job that was stopped is taken up after its last
    whole part by the same call; one with another model, other inputs or settings is refused unless `fresh`.

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
    format : {"parquet", "jsonl", "csv"}
        Of the parts.
    batch_size : int
        Articles labelled at once.
    rows_per_part : int
        Most rows in a part.
    max_chars : int
        Longer bodies are quarantined.
    fresh : bool
        Remove an earlier job's files from `out` first.

    Returns
    -------
    LabelSummary
        Counts over the whole job, earlier sittings included.

    Raises
    ------
    DataError
        If an input does not exist, or `out` cannot be written.
    UsageError
        If `out` holds another job's output.
    """
    files = find_files(inputs)
    settings = {
        "model": model_name,
        "format": format,
        "rows_per_part": rows_per_part,
        "max_chars": max_chars,
        "inputs": [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in files],
        "version": __version__,
    }
    summary = _open_folder(out, settings, fresh=fresh)
    if (out / MANIFEST).exists():
        return summary
    entries = read_articles(files, limits=Limits(max_chars=max_chars))
    with progress("labelling", "articles") as advance:
        done = 0
        for _ in islice(entries, summary.articles):
            done += 1
        if done < summary.articles:
            raise DataError(f"{out} was labelled from inputs with {summary.articles} rows, these have only {done}")
        advance(done)
        while True:
            part = _label_part(entries, model, model_name, batch_size, rows_per_part, advance)
            if not part.consumed:
                break
            _finish_part(out, format, model.keys, part, summary)
            _write_json(out / STATE, {"settings": settings, "summary": asdict(summary)})
    _write_json(out / MANIFEST, {"settings": settings, "summary": asdict(summary)})
    (out / STATE).unlink(missing_ok=True)
    return summary


@dataclass
class _Part:
    """The rows and rejections of one stretch of the input."""

    tables: list[Any] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def consumed(self) -> int:
        return sum(int(table.num_rows) for table in self.tables) + len(self.rejected)


def _label_part(
    entries: Iterator[Article | Rejected],
    model: ModusModel,
    model_name: str,
    batch_size: int,
    rows_per_part: int,
    advance: Callable[[int], None],
) -> _Part:
    part = _Part()
    while part.consumed < rows_per_part:
        batch = list(islice(entries, min(batch_size, rows_per_part - part.consumed)))
        if not batch:
            break
        articles = [a for a in batch if isinstance(a, Article)]
        part.rejected += [r for r in batch if isinstance(r, Rejected)]
        part.tables.append(label_articles(model, articles, model_name=model_name))
        advance(len(batch))
    return part


def _open_folder(out: Path, settings: Mapping[str, Any], *, fresh: bool) -> LabelSummary:
    """Make the output folder ready, and return the counts of the job's earlier sittings."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if fresh:
            for path in [
                *out.glob("part-*"),
                *out.glob(".part-*"),
                *(out / n for n in (MANIFEST, QUARANTINE, STATE)),
            ]:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in out.glob(".part-*"):
            path.unlink()
    except OSError as error:
        raise DataError(f"cannot write to {out}: {error.strerror or error}") from None
    earlier = next((p for p in (out / MANIFEST, out / STATE) if p.exists()), None)
    if earlier is None:
        if any(out.glob("part-*")):
            raise UsageError(f"{out} holds parts but no {MANIFEST}: not of this job; use --fresh to replace them")
        (out / QUARANTINE).write_text("", encoding="utf-8")
        return LabelSummary()
    try:
        state = json.loads(earlier.read_text(encoding="utf-8"))
        recorded, summary = state["settings"], LabelSummary(**state["summary"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{earlier} is damaged ({error}); use --fresh to start again") from None
    different = [key for key in settings if recorded.get(key) != settings[key]]
    if different:
        raise UsageError(
            f"{out} holds the output of another job (different {', '.join(different)}); use --fresh to replace it"
        )
    lost = [name for name in summary.parts if not (out / name).is_file()]
    if lost:
        raise UsageError(f"{out} lacks {lost[0]}, which its record lists; use --fresh to start again")
    for path in out.glob("part-*"):
        if path.name not in summary.parts:
            path.unlink()
    with (out / QUARANTINE).open("r+b") as stream:
        stream.truncate(_offset_of_line(stream, summary.quarantined))
    return summary


def _offset_of_line(stream: Iterable[bytes], lines: int) -> int:
    return sum(len(line) for line in islice(stream, lines))


def _finish_part(out: Path, format: str, keys: Sequence[str], part: _Part, summary: LabelSummary) -> None:
    """Write a part and its quarantine rows, then add them to the counts."""
    with (out / QUARANTINE).open("a", encoding="utf-8") as stream:
        for rejected in part.rejected:
            stream.write(json.dumps(rejected.as_row(), ensure_ascii=False) + "\n")
            kind = rejected.reason.split(":")[0].split(" '")[0]
            summary.reasons[kind] = summary.reasons.get(kind, 0) + 1
        stream.flush()
        os.fsync(stream.fileno())
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables(part.tables)
    if table.num_rows:
        name = f"part-{len(summary.parts):05d}.{format}"
        temporary = out / f".{name}.tmp"
        FORMATS[format](table, temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(out / name)
        summary.parts.append(name)
    decisions = [table[f"decision_{key}"] for key in keys]
    for key, decision in zip(keys, decisions):
        given = pc.sum(pc.equal(decision, "yes")).as_py() or 0
        if given:
            summary.modus[key] = summary.modus.get(key, 0) + given
    to_review = functools.reduce(pc.or_, (pc.equal(decision, "review") for decision in decisions))
    summary.reviews += pc.sum(to_review).as_py() or 0
    summary.n_tokens += pc.sum(table["n_tokens"]).as_py() or 0
    summary.n_tokens_dropped += pc.sum(table["n_tokens_dropped"]).as_py() or 0
    summary.labelled += table.num_rows
    summary.quarantined += len(part.rejected)
    summary.articles += part.consumed


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
