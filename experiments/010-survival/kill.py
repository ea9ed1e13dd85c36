"""Stop labelling jobs in every way there is, go on, and compare the folder with that of a job that was left alone.

Twenty kills (-9) at random moments, SIGTERM, Ctrl-C, and as root a full disk and a read-only folder (small tmpfs).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).parents[2]


def write_input(path: Path, n: int) -> None:
    """Three lines, drawn anew each time, of the shipped training articles over and over; some rows broken."""
    base = [json.loads(line) for line in (REPO / "data/articles/train.jsonl").read_text(encoding="utf-8").splitlines()]
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(n):
            lines = base[number % len(base)]["text"].split("\n")
            draw.shuffle(lines)
            row = {"id": f"a{number}", "text": "" if number % 97 == 5 else "\n".join(lines[:3])}
            stream.write(json.dumps(row) + "\n")


class Jobs:
    """Labelling jobs over one input."""

    def __init__(self, model: str, source: Path, workers: int) -> None:
        main = [sys.executable, "-c", "from tppo.cli.app import main; main()", "label", str(source)]
        self.command = [*main, f"model={model}", f"workers={workers}", "rows_per_part=100", "batch_size=20"]

    def start(self, out: Path) -> subprocess.Popen[str]:
        """Start the job; it hears an interrupt as in a terminal."""
        environment = {**os.environ, "TPPO_CONFIG_DIR": str(REPO / "configs")}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.command, "--out", str(out)],
            env=environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored by what runs in the background
        )

    def finish(self, out: Path) -> None:
        """Run the job to its end."""
        process = self.start(out)
        _, errors = process.communicate()
        if process.returncode:
            raise SystemExit(f"a job that was left alone failed: {errors}")


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def n_parts(out: Path) -> int:
    return len(list(out.glob("part-*")))


def wait_for_parts(out: Path, n: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many parts are whole: a moment of the job, however busy the machine is."""
    while n_parts(out) < n and process.poll() is None:
        time.sleep(0.002)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="models:/tppo-modus@champion", help="MLflow URI or folder")
    parser.add_argument("-n", type=int, default=3000, help="articles; over 2,000 start worker processes")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_input(folder / "in.jsonl", args.n)
        jobs = Jobs(args.model, folder / "in.jsonl", args.workers)
        started = time.monotonic()
        jobs.finish(folder / "whole")
        lasts = time.monotonic() - started
        whole = contents(folder / "whole")
        parts = [name for name in whole if name.startswith("part-")]
        print(f"left alone: {args.n:,} rows, {len(parts)} parts, {lasts:.1f} s")
        same, moments = 0, []
        for number in range(args.kills):
            out = folder / f"kill{number}"
            process = jobs.start(out)
            wait_for_parts(out, draw.randrange(len(parts)), process)
            time.sleep(draw.uniform(0, 2 * lasts / len(parts)))
            process.kill()
            process.communicate()
            moments.append(n_parts(out))
            jobs.finish(out)
            same += contents(out) == whole
        print(f"kill -9: {same} of {args.kills} equal; whole parts when killed: {sorted(moments)}")
        for sent in (signal.SIGTERM, signal.SIGINT):
            out = folder / sent.name
            process = jobs.start(out)
            wait_for_parts(out, len(parts) // 2, process)
            process.send_signal(sent)
            _, errors = process.communicate()
            code, n_done = process.returncode, n_parts(out)
            jobs.finish(out)
            print(f"{sent.name}: exit {code} at {n_done} parts, {errors.strip()!r}; equal: {contents(out) == whole}")
        if os.geteuid():
            print("full disk, read-only folder: left out, only root can mount a tmpfs")
            return
        disk = folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)], check=True)
        try:
            process = jobs.start(disk / "out")
            _, errors = process.communicate()
            code = process.returncode
            subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
            jobs.finish(disk / "out")
            print(f"full disk: exit {code}, {errors.strip()!r}; equal: {contents(disk / 'out') == whole}")
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            process = jobs.start(disk / "other")
            _, errors = process.communicate()
            print(f"read-only folder: exit {process.returncode}, {errors.strip()!r}")
        finally:
            subprocess.run(["umount", str(disk)], check=True)


if __name__ == "__main__":
    main()
