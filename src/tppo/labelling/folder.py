"""The output folder of a job: one job at a time, whole parts only, and a record of what is done."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from tppo.corpus import Rejected
from tppo.errors import DataError, UsageError
from tppo.labelling.parts import write_part
from tppo.labelling.summary import LabelSummary

__all__ = ["JobFolder", "open_folder"]

MANIFEST, QUARANTINE, STATE, INDEX = "manifest.json", "quarantine.jsonl", "state.json", ".index.sqlite"


class JobFolder:
    """The files of one job.

    Parameters
    ----------
    path : Path
        The folder.
    settings : mapping
        All that decides the output: model, inputs, options.
    summary : LabelSummary
        Counts of the whole parts so far.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], summary: LabelSummary) -> None:
        self.path = path
        self.settings = settings
        self.summary = summary

    @property
    def finished(self) -> bool:
        """Whether the job was done before."""
        return (self.path / MANIFEST).exists()

    @property
    def index(self) -> Path:
        """Of the articles so far, kept until the job is done."""
        return self.path / INDEX

    def write(self, table: Any, rejected: Sequence[Rejected]) -> None:
        """Write a part and its quarantine rows so that they are whole or not there, and on the disk."""
        with (self.path / QUARANTINE).open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(one.as_row(), ensure_ascii=False) + "\n" for one in rejected)
            stream.flush()
            os.fsync(stream.fileno())
        if table.num_rows:
            format = self.settings["format"]
            name = f"part-{len(self.summary.parts):05d}.{format}"
            temporary = self.path / f".{name}.tmp"
            write_part(table, temporary, format=format, bom=self.settings["bom"])
            _settle(temporary, self.path / name)
            self.summary.parts.append(name)

    def record(self) -> None:
        """Write down that all parts so far are done."""
        self._write_json(STATE)

    def finish(self) -> None:
        """Write the manifest in the place of the record."""
        self._write_json(MANIFEST)
        for name in (STATE, INDEX):
            (self.path / name).unlink(missing_ok=True)

    def _write_json(self, name: str) -> None:
        """Replace settings and summary at once, so that a cut leaves the old or the new."""
        temporary = self.path / f".{name}.tmp"
        content = {"settings": self.settings, "summary": asdict(self.summary)}
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        _settle(temporary, self.path / name)


@contextmanager
def open_folder(path: Path, settings: Mapping[str, Any], *, fresh: bool = False) -> Iterator[JobFolder]:
    """Take a folder for a job, alone, and read how far an earlier sitting came.

    Parameters
    ----------
    path : Path
        Made when missing.
    settings : mapping
        As `JobFolder` takes them; ``format`` and ``bom`` decide how parts are written.
    fresh : bool
        Remove an earlier job's files first.

    Raises
    ------
    DataError
        If the folder cannot be written, now or later.
    UsageError
        If it holds another job's output, or another process is at work in it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            if fresh:
                _clear(path)
            _remove_temporary(path)
            yield JobFolder(path, settings, _earlier(path, settings))
    except OSError as error:
        # What was half written goes, so that a full disk has room to go on with once something else is removed.
        _remove_temporary(path)
        why = os.strerror(errno.ENOSPC) if error.errno == errno.ENOSPC else error.strerror or error
        raise DataError(f"cannot write to {path}: {why}; mend this and give the same command again") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process however that ends."""
    handle = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another job is labelling into {path}; wait for it, or take another folder") from None
        yield
    finally:
        os.close(handle)


def _remove_temporary(path: Path) -> None:
    for name in ("part-*", STATE, MANIFEST):
        for leftover in path.glob(f".{name}.tmp"):
            leftover.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    names = (MANIFEST, QUARANTINE, STATE, INDEX, f"{INDEX}-journal")
    for old in [*path.glob("part-*"), *path.glob(".part-*"), *(path / name for name in names)]:
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)


def _earlier(path: Path, settings: Mapping[str, Any]) -> LabelSummary:
    """Return the counts of the job's earlier sittings, and remove what they left unfinished."""
    record = next((p for p in (path / MANIFEST, path / STATE) if p.exists()), None)
    if record is None:
        if any(path.glob("part-*")):
            if not (path / INDEX).exists():
                raise UsageError(f"{path} holds parts but no {MANIFEST}: not of this job; use --fresh to replace them")
            for unrecorded in path.glob("part-*"):
                unrecorded.unlink()
        (path / QUARANTINE).write_text("", encoding="utf-8")
        return LabelSummary()
    try:
        state = json.loads(record.read_text(encoding="utf-8"))
        recorded, summary = state["settings"], LabelSummary(**state["summary"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{record} is damaged ({error}); use --fresh to start again") from None
    different = [_difference(key, recorded.get(key), now) for key, now in settings.items() if recorded.get(key) != now]
    if different:
        raise UsageError(
            f"{path} holds the output of another job (different {'; '.join(different)}); use --fresh to replace it"
        )
    lost = [name for name in summary.parts if not (path / name).is_file()]
    if lost:
        raise UsageError(f"{path} lacks {lost[0]}, which its record lists; use --fresh to start again")
    for part in path.glob("part-*"):
        if part.name not in summary.parts:
            part.unlink()
    if record.name == MANIFEST:
        (path / STATE).unlink(missing_ok=True)
        (path / INDEX).unlink(missing_ok=True)
    elif not (path / INDEX).exists():
        raise UsageError(f"{path} lacks {INDEX}, which an unfinished job needs; use --fresh to start again")
    with (path / QUARANTINE).open("r+b") as stream:
        stream.truncate(sum(len(line) for line in islice(stream, summary.quarantined)))
    return summary


def _difference(key: str, before: Any, now: Any) -> str:
    """Say what differs: of lists the first entry that does."""
    if isinstance(before, list) and isinstance(now, list):
        if len(before) != len(now):
            return f"{key}: {len(before)} then, {len(now)} now"
        before, now = next((a, b) for a, b in zip(before, now) if a != b)
    return f"{key}: {_short(before)} then, {_short(now)} now"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _settle(temporary: Path, final: Path) -> None:
    """Give a file that is written its name, with both on the disk."""
    _sync(temporary)
    temporary.replace(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
