"""A job that is killed, stopped, or out of disk goes on, and ends with the folder of one that was left alone."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from small_corpus import REPO, articles, write_jsonl
from tppo.classify import ModusModel

N_KILLS = 4
N_ARTICLES = 800

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def model_folder(model: ModusModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = articles(N_ARTICLES)
    for number in range(7, N_ARTICLES, 50):
        rows[number] = {"id": f"bad-{number}", "text": ""}
        rows[number + 1]["id"] = rows[number - 1]["id"]
    return write_jsonl(tmp_path_factory.mktemp("input") / "in.jsonl", rows)


@pytest.fixture(scope="module")
def start(source: Path, model_folder: Path) -> Start:
    """Start a labelling job in a process group of its own."""

    def run(out: Path, *more: str, limit: int | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from tppo.cli.app import main; main()", "label", str(source)]
        options = ["workers=1", f"model={model_folder}", "rows_per_part=40", "batch_size=20", *more]

        def limited() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.Popen(
            [*command, *options, "--out", str(out)],
            env={**os.environ, "TPPO_CONFIG_DIR": str(REPO / "configs"), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=limited,
        )

    return run


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The folder of a job that was left alone."""
    out = tmp_path_factory.mktemp("whole") / "out"
    _, errors = (process := start(out)).communicate(timeout=300)
    assert process.returncode == 0, errors
    return contents(out)


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def wait_for_parts(out: Path, n: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while len(list(out.glob("part-*"))) < n and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def finish(start: Start, out: Path) -> None:
    process = start(out)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


@pytest.mark.slow
def test_a_killed_job_ends_like_one_that_was_left_alone(start: Start, whole: dict[str, bytes], tmp_path: Path) -> None:
    draw = random.Random(0)
    out = tmp_path / "out"
    for number in range(N_KILLS):
        process = start(out)
        wait_for_parts(out, 4 * number + 1, process)
        time.sleep(draw.uniform(0, 0.1))
        process.kill()
        process.communicate()
    finish(start, out)
    assert contents(out) == whole


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(start: Start, tmp_path: Path) -> None:
    many = write_jsonl(
        tmp_path / "many.jsonl", ({"id": f"m{n}", "text": "Warga bergotong royong."} for n in range(2500))
    )
    process = start(tmp_path / "out", str(many), "workers=2")
    wait_for_parts(tmp_path / "out", 2, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("worker processes are still there")


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_job_says_so_and_goes_on(
    sent: signal.Signals, code: int, start: Start, whole: dict[str, bytes], tmp_path: Path
) -> None:
    process = start(tmp_path / "out")
    wait_for_parts(tmp_path / "out", 2, process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (code, "error: interrupted; the same command goes on where it stopped\n")
    finish(start, tmp_path / "out")
    assert contents(tmp_path / "out") == whole


@pytest.mark.slow
def test_a_second_job_into_one_folder_is_refused(start: Start, whole: dict[str, bytes], tmp_path: Path) -> None:
    first = start(tmp_path / "out")
    wait_for_parts(tmp_path / "out", 1, first)
    first.send_signal(signal.SIGSTOP)  # held, else it may be done before the second one looks
    try:
        second = start(tmp_path / "out")
        _, errors = second.communicate(timeout=300)
    finally:
        first.send_signal(signal.SIGCONT)
    first.communicate(timeout=300)
    assert (first.returncode, second.returncode) == (0, 2)
    assert errors.startswith("error: another job is labelling into ")
    assert contents(tmp_path / "out") == whole


@pytest.mark.slow
def test_a_file_that_cannot_grow_is_an_error_and_the_job_goes_on(
    start: Start, whole: dict[str, bytes], tmp_path: Path
) -> None:
    process = start(tmp_path / "out", limit=30_000)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert errors.startswith("error: cannot "), errors
    assert "give the same command again" in errors
    finish(start, tmp_path / "out")
    assert contents(tmp_path / "out") == whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small tmpfs")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_an_error_and_the_job_goes_on(start: Start, whole: dict[str, bytes], small_disk: Path) -> None:
    process = start(small_disk / "out")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert errors.startswith("error: cannot "), errors
    assert not list((small_disk / "out").glob(".*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    finish(start, small_disk / "out")
    assert contents(small_disk / "out") == whole


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_an_error(start: Start, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    if os.geteuid() == 0:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(out)], capture_output=True).returncode:
            pytest.skip("root writes anywhere, and no read-only file system can be mounted here")
    else:
        out.chmod(0o555)
    process = start(out)
    _, errors = process.communicate(timeout=300)
    if os.geteuid() == 0:
        subprocess.run(["umount", str(out)], check=True)
    else:
        out.chmod(0o755)
    assert process.returncode == 1
    assert errors.startswith(f"error: cannot write to {out}: ")
