"""Peak memory of `tppo label` at two sizes of the same kind of input, for every process of the job.

The articles are short (one or two sentences), so that a million are labelled in minutes: what grows with the number
of articles grows as with long ones, and what depends on their length is bounded by the batch.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REPO = Path(__file__).parents[2]


def write_input(path: Path, n: int) -> None:
    """Write `n` articles of sentences drawn from the training part."""
    base = [json.loads(line)["text"] for line in (REPO / "data/articles/train.jsonl").open(encoding="utf-8")]
    sentences = [s for text in base for s in text.replace("\n", " ").split(". ") if 30 < len(s) < 120]
    draw = random.Random(0)
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as stream:
            for number in range(n):
                stream.write(json.dumps({"id": f"a{number}", "text": text(draw, sentences, number)}) + "\n")
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, n, 100_000):
            numbers = range(first, min(n, first + 100_000))
            rows = {"id": [f"a{i}" for i in numbers], "text": [text(draw, sentences, i) for i in numbers]}
            writer.write_table(pa.table(rows, schema=schema))


def text(draw: random.Random, sentences: list[str], number: int) -> str:
    return ". ".join(draw.sample(sentences, draw.choice((1, 1, 2)))) + f" nomor {number}."


def peak_mb(pid: int) -> float:
    """The most resident memory a process has had so far, in MB."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except (OSError, ValueError):
        pass
    return 0.0


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += family(int(child))
        except OSError:
            pass
    return found


def measure(model: str, source: Path, out: Path, workers: int) -> tuple[float, float, float]:
    """Peak of the first process, peak of the largest worker (MB), seconds."""
    command = [sys.executable, "-c", "from tppo.cli.app import main; main()", "label", str(source), f"model={model}"]
    environment = {**os.environ, "TPPO_CONFIG_DIR": str(REPO / "configs")}
    started = time.monotonic()
    command += [f"workers={workers}", "--out", str(out)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    peaks: dict[int, float] = {}

    def watch() -> None:
        """Keep the highest memory seen of each process."""
        while process.poll() is None:
            for pid in family(process.pid):
                peaks[pid] = max(peaks.get(pid, 0.0), peak_mb(pid))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.wait()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"labelling {source} failed")
    workers_peak = max((mb for pid, mb in peaks.items() if pid != process.pid), default=0.0)
    return peaks[process.pid], workers_peak, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="models:/tppo-modus@champion", help="MLflow URI or folder")
    parser.add_argument("--sizes", type=int, nargs="+", default=[40_000, 1_000_000])
    parser.add_argument("--format", choices=["jsonl", "parquet"], default="parquet", help="of the input")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    print(f"{'articles':>10} {'first process':>14} {'worker':>9} {'time':>8}")
    for n in args.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / f"in.{args.format}"
            write_input(source, n)
            first, worker, seconds = measure(args.model, source, Path(scratch) / "out", args.workers)
            print(f"{n:10,} {first:11,.0f} MB {worker:6,.0f} MB {seconds:6,.0f} s", flush=True)


if __name__ == "__main__":
    main()
