"""Label on a Ray cluster: tasks read the inputs, a pool of actors labels, this process puts the parts together."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from typing import Any

from tppo.classify import ModusModel, folder_digest
from tppo.errors import DataError, UsageError
from tppo.labelling.batch import Labelled, output_schema
from tppo.labelling.index import Index
from tppo.labelling.inputs import make_batches
from tppo.labelling.job import LabelOptions, run_job
from tppo.labelling.pool import Batch
from tppo.labelling.ray_rows import Arriving, RowLabeller, labelled_rows
from tppo.labelling.summary import LabelSummary
from tppo.labelling.uris import ClusterFile, Stretch, describe, find_inputs, read_stretch
from tppo.processes import usable_cores

__all__ = ["label_with_ray"]

# A pool that takes every CPU leaves none to the readers, and the job hangs. So an actor asks for a little less than one
# and a reader, which mostly waits, for the rest.
_CPUS_OF_ACTOR, _CPUS_OF_READER = 0.9, 0.1
_LABEL_CPUS_PER_READER = 8  # one core reads for more than so many that label
_BLOCK_BYTES = 1024 * 1024  # of rows that travel together: some 500 articles, half a second of work


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
    with _failures(ray), _cluster(ray, address):
        files = _describe_all(ray, uris)
        pipeline = _Pipeline(ray, files, model, model_folder, model_name, options, workers)
        return run_job(files, out, model, pipeline.labelled, model_name=model_name, options=options, fresh=fresh)


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of every cluster
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # its default to come; unset, Ray warns of that
    # Its core writes of every actor's large arguments, past Python's logging; what fails is raised in any case.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
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
    on_sigterm = signal.getsignal(signal.SIGTERM)
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address is None:
            os.environ.setdefault("RAY_worker_niceness", "0")  # as the local engine; Ray's 15 waits for all other work
            own = {"num_cpus": usable_cores(), "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            with _without_stderr():
                ray.init(address="local", **own, **quiet)
        else:
            _knock(address)
            with _without_stderr():
                ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        where = f"at {address!r}" if address else "on this machine"
        first = str(error).strip().splitlines()[0]
        raise UsageError(f"no Ray cluster {where}: {first}; start one with 'ray start --head'") from None
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray puts its own in the place of the caller's
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Drop what is written to the standard error stream: Ray's core announces its log level there."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _knock(address: str) -> None:
    """Fail at once if nothing listens at an address: Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if host:
        socket.create_connection((host.rpartition("/")[2], int(port)), timeout=10).close()


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
        arriving = Arriving(self._run(stretches) if stretches else iter(()), done)
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
            yield batch, labelled_rows(arriving.take(batch.n_rows), [row - batch.first for row in batch.rows], schema)
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
                RowLabeller,
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
