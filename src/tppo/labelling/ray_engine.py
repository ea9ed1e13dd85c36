"""Label on a Ray cluster: tasks read the inputs, a pool of actors labels, this process puts the parts together."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tppo.classify import ModusModel, folder_digest
from tppo.corpus import Article, Rejected
from tppo.errors import DataError, UsageError
from tppo.labelling.batch import Labelled, Labeller, output_schema
from tppo.labelling.copies import Marks
from tppo.labelling.index import Index
from tppo.labelling.inputs import make_batches
from tppo.labelling.job import LabelOptions, run_job
from tppo.labelling.pool import Batch, usable_cores
from tppo.labelling.summary import LabelSummary
from tppo.labelling.uris import ClusterFile, Stretch, describe, find_inputs, read_stretch

__all__ = ["label_with_ray"]

# A pool that takes every CPU leaves none to the readers, and the job hangs. So an actor asks for a little less than one
# and a reader, which mostly waits, for the rest.
_CPUS_OF_ACTOR, _CPUS_OF_READER = 0.9, 0.1
_LABEL_CPUS_PER_READER = 8  # one core reads for more than so many that label
_BLOCK_BYTES = 2 * 1024 * 1024  # of rows that travel together: some 700 articles, a second of work


def label_with_ray(
    inputs: Iterable[str | Path],
    out: Path,
    model: ModusModel,
    *,
    model_name: str,
    model_folder: Path,
    options: LabelOptions | None = None,
    address: str | None = None,
    workers: int | None = None,
    fresh: bool = False,
) -> LabelSummary:
    """Label articles on a Ray cluster, into the same files that `label_files` writes.

    Rows, values and counts equal those of `label_files`. Work that a lost process or node had is done again on the
    others; rows are counted as they arrive, so that none is lost or doubled. A job that was stopped is taken up after
    its last whole part by the same call, on any cluster, or by `label_files`.

    Parameters
    ----------
    inputs : iterable of str or Path
        Paths, folders and globs, which all nodes must see, and URIs of files or folders that pyarrow knows
        (``s3://…``, ``gs://…``, ``hdfs://…``), of which one node at a time keeps a copy.
    out : Path
        Folder on this machine.
    model : ModusModel
        What labels.
    model_name : str
        URI and digest, written into every row.
    model_folder : Path
        Where the model lies on this machine; the nodes get a copy.
    options : LabelOptions, optional
        How; `sample` cannot be had.
    address : str, optional
        Of a cluster, ``auto`` for the one this machine belongs to; by default one is started on this machine, open to
        no other, and stopped afterwards. If Ray is running in this process, that is used.
    workers : int, optional
        Most actors; one per CPU by default.
    fresh : bool
        Remove an earlier job's files from `out` first.

    Raises
    ------
    DataError
        If an input does not exist or was changed meanwhile, `out` cannot be written, or the cluster failed.
    UsageError
        If Ray is not installed or no cluster answers, or `out` holds another job's output.
    """
    options = options or LabelOptions()
    if options.sample is not None:
        raise UsageError("the Ray engine labels everything: leave out --sample, or use --engine local")
    ray = _import_ray()
    uris = find_inputs(inputs)
    with _cluster(ray, address), _failures(ray):
        files = _describe_all(ray, uris)
        pipeline = _Pipeline(ray, files, model, model_folder, model_name, options, workers)
        return run_job(files, out, model, pipeline.labelled, model_name=model_name, options=options, fresh=fresh)


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise UsageError("the Ray engine needs the package ray: pip install 'tppo[ray]'") from None
    return ray


@contextmanager
def _cluster(ray: Any, address: str | None) -> Iterator[None]:
    """Be connected to a cluster: the one given, the one this process is connected to, or one of this machine's own."""
    if ray.is_initialized():
        yield
        return
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address is None:
            own = {"num_cpus": usable_cores(), "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            ray.init(address="local", **own, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f"at {address!r}" if address else "on this machine"
        first = str(error).strip().splitlines()[0]
        raise UsageError(f"no Ray cluster {where}: {first}; start one with 'ray start --head'") from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _failures(ray: Any) -> Iterator[None]:
    """Turn what Ray raises into an error that says what to do; errors of our own that it carries come out as such."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        if isinstance(cause, DataError):
            raise DataError(str(cause)) from None
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        raise DataError(
            f"the Ray job failed: {type(cause).__name__}: {first}; the same command goes on where it stopped"
        ) from error


def _describe_all(ray: Any, uris: Sequence[str]) -> list[ClusterFile]:
    """Describe the files side by side, many small ones in a task."""
    size = max(1, len(uris) // 1000)
    groups = [list(uris[i : i + size]) for i in range(0, len(uris), size)]
    task = ray.remote(_describe_group).options(num_cpus=1)
    return [file for group in ray.get([task.remote(group) for group in groups]) for file in group]


def _describe_group(uris: list[str]) -> list[ClusterFile]:
    return [describe(uri) for uri in uris]


class _Pipeline:
    """The Ray Data job: rows in, labelled rows out, in order."""

    def __init__(
        self,
        ray: Any,
        files: Sequence[ClusterFile],
        model: ModusModel,
        folder: Path,
        model_name: str,
        options: LabelOptions,
        workers: int | None,
    ) -> None:
        self.ray = ray
        self.files = files
        self.keys = model.keys
        self.folder = folder
        self.model_name = model_name
        self.options = options
        self.workers = workers

    def labelled(self, index: Index, done: int) -> Iterator[tuple[Batch, Labelled]]:
        """Yield the labelled batches after the first `done` rows."""
        stretches = list(_stretches(self.files, done))
        arriving = _Arriving(self._run(stretches) if stretches else iter(()), done)
        batches = make_batches(
            arriving.rows(),
            index,
            first=done,
            size=self.options.batch_size,
            rows_per_part=self.options.rows_per_part,
            once=self.options.copies == "share",
        )
        schema = output_schema(self.keys)
        for batch in batches:
            yield batch, _take(arriving.take(batch.n_rows), [row - batch.first for row in batch.rows], schema)
        expected = sum(file.n_rows for file in self.files)
        if arriving.number != expected:
            raise DataError(f"expected {expected:,} rows, got {arriving.number:,}: the input was changed meanwhile")

    def _run(self, stretches: Sequence[Stretch]) -> Iterator[Any]:
        """Yield labelled rows as tables, in order."""
        o = self.options
        cpus = int(self.ray.cluster_resources().get("CPU", 1))
        most = max(1, min(self.workers or cpus, cpus))
        readers = min(len(stretches), max(1, cpus // _LABEL_CPUS_PER_READER))
        with _settings_of_ray_data():
            items = self.ray.data.from_items(
                [asdict(stretch) for stretch in stretches], override_num_blocks=min(len(stretches), 1000)
            )
            rows = items.map_batches(
                _read,
                batch_size=1,
                batch_format="pyarrow",
                fn_kwargs={"max_chars": o.max_chars, "size": o.batch_size},
                num_cpus=_CPUS_OF_READER,
                concurrency=readers,
            )
            labelled = rows.map_batches(
                _Actor,
                batch_size=o.batch_size,
                batch_format="pyarrow",
                fn_constructor_kwargs={
                    "files": self.ray.put(_files_of(self.folder)),
                    "digest": folder_digest(self.folder),
                    "model_name": self.model_name,
                    "marks": o.copies != "ignore",
                    "texts": o.copies == "share",
                },
                num_cpus=_CPUS_OF_ACTOR,
                concurrency=(1, most, most),
            )
        return iter(labelled.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=2))


@contextmanager
def _settings_of_ray_data() -> Iterator[None]:
    """Have Ray Data keep the order of the rows, in small blocks, without bars of its own; a data set keeps these."""
    from ray.data import DataContext

    context = DataContext.get_current()
    before = context.execution_options.preserve_order, context.target_max_block_size, context.enable_progress_bars
    context.execution_options.preserve_order = True
    context.target_max_block_size = _BLOCK_BYTES
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.execution_options.preserve_order, context.target_max_block_size, context.enable_progress_bars = before


def _stretches(files: Sequence[ClusterFile], done: int) -> Iterator[Stretch]:
    """Yield what is left to read after the first `done` rows of the job."""
    for file, end in zip(files, accumulate(file.n_rows for file in files)):
        first = end - file.n_rows
        if end > done:
            yield Stretch(file.uri, first, skip=max(0, done - first))


def _files_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of a folder by relative names: how a model travels."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _read(stretches: Any, *, max_chars: int, size: int) -> Iterator[Any]:
    for row in stretches.to_pylist():
        yield from read_stretch(Stretch(**row), max_chars=max_chars, size=size)


class _Actor:
    """A process with the model, on any node."""

    def __init__(self, files: Any, digest: str, model_name: str, marks: bool, texts: bool) -> None:
        import ray

        threadpool_limits(1)
        self._texts = texts
        with tempfile.TemporaryDirectory(prefix="tppo-") as name:
            folder = Path(name) / "model"
            for relative, content in ray.get(files).items():
                path = folder / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._labeller = Labeller(ModusModel.load(folder, digest=digest), model_name, marks)

    def __call__(self, rows: Any) -> Any:
        """Return the rows with their labels; null where a row is no article."""
        import pyarrow as pa

        places = [i for i, reason in enumerate(rows["reason"].to_pylist()) if reason is None]
        articles = rows.take(places)
        watch = [i for i, wanted in enumerate(articles["watch"].to_pylist()) if wanted]
        found = self._labeller(articles.select(["id", "text", "group"]), watch)
        back = pa.array(_positions(places, rows.num_rows), pa.int64())
        watched = dict(zip((places[i] for i in watch), found.watched))
        out = rows.select(["row", "source", "reason", "snippet", "id", "group", *(["text"] if self._texts else [])])
        out = out.rename_columns([f"row_{name}" for name in out.column_names])
        labels = found.table.combine_chunks().take(back)
        for name, column in zip(labels.column_names, labels.columns):
            out = out.append_column(name, column)
        counts = [watched.get(i) for i in range(rows.num_rows)]
        out = out.append_column("row_watched", pa.array(counts, pa.list_(pa.int64())))
        if found.marks is not None:
            keys = pa.array([list(k) for k in found.marks.keys], pa.list_(pa.int64())).take(back)
            signatures = pa.array(found.marks.signatures, pa.binary()).take(back)
            out = out.append_column("row_keys", keys).append_column("row_signature", signatures)
        return out


def _positions(places: Sequence[int], n: int) -> list[int | None]:
    """Return for each of `n` rows its position among `places`, or None."""
    positions: list[int | None] = [None] * n
    for position, place in enumerate(places):
        positions[place] = position
    return positions


class _Arriving:
    """Labelled rows as they arrive, kept until their batch is made.

    Parameters
    ----------
    tables : iterator of pyarrow.Table
        As `_Actor` returns them.
    done : int
        Number of the first row.
    """

    def __init__(self, tables: Iterator[Any], done: int) -> None:
        self._tables = tables
        self._waiting: list[Any] = []
        self.number = done

    def rows(self) -> Iterator[tuple[str, Article | Rejected]]:
        """Yield the rows in order, and check that none is missing or came twice."""
        for table in self._tables:
            self._waiting.append(table)
            names = ["row_row", "row_source", "row_reason", "row_id", "row_snippet", "row_group"]
            columns = table.select(names).to_pydict()
            texts = table["row_text"].to_pylist() if "row_text" in table.column_names else columns["row_snippet"]
            for (row, source, reason, identifier, snippet, group), text in zip(zip(*columns.values()), texts):
                if row != self.number:
                    raise DataError(f"Ray gave row {row:,} where row {self.number:,} was due: please report this")
                self.number += 1
                if reason is not None:
                    yield source, Rejected(source, reason, identifier, snippet)
                else:
                    yield source, Article(identifier, text, group=group)

    def take(self, n: int) -> Any:
        """Return the first `n` rows that were not taken yet."""
        import pyarrow as pa

        waiting = pa.concat_tables(self._waiting)
        self._waiting = [waiting.slice(n)]
        return waiting.slice(0, n)


def _take(rows: Any, places: list[int], schema: Any) -> Labelled:
    """Return some of the rows that `_Actor` returned as what a `Labeller` returns."""
    kept = rows.take(places).combine_chunks()
    marks = None
    if "row_keys" in rows.column_names:
        keys = [tuple(key) for key in kept["row_keys"].to_pylist()]
        marks = Marks(keys, kept["row_signature"].to_pylist())
    watched = [(n, new) for n, new in (w for w in kept["row_watched"].to_pylist() if w is not None)]
    return Labelled(kept.select(schema.names).cast(schema), marks, watched)
