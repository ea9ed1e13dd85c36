"""Articles per second with Ray and with the local engine, side by side; start-up taken out.

Each engine labels a short job and the whole job; the speed is that of the articles which only the whole job has, so
that starting processes, loading models and reading digests, in both, does not count.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from tppo.classify import ModusModel
from tppo.labelling import LabelOptions, LabelSummary, label_files
from tppo.labelling.ray_engine import label_with_ray
from tppo.processes import usable_cores
from tppo.tracking import resolve_model

SHORT = 3000  # above what the local engine labels without worker processes


def write_articles(path: Path, source: Path, n: int) -> None:
    """Write n articles: those of the source over and over, their sentences in another order each time."""
    rows = [json.loads(line)["text"] for line in source.read_text(encoding="utf-8").splitlines()]
    sentences = [re.split(r"(?<=[.!?])\s+", text) for text in rows]
    draw = random.Random(0)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(n):
            own = sentences[number % len(sentences)]
            text = " ".join(draw.sample(own, len(own)))
            stream.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")


class Bench:
    """One model, two engines."""

    def __init__(self, uri: str, workers: int) -> None:
        stored = resolve_model(uri)
        self.folder = stored.folder
        self.model = ModusModel.load(stored.folder, digest=stored.digest)
        self.workers = workers

    def label(self, engine: str, source: Path, out: Path) -> tuple[float, LabelSummary]:
        """Return seconds and counts of one job."""
        common = {"model_name": "bench", "model_folder": self.folder, "options": LabelOptions()}
        started = time.perf_counter()
        if engine == "ray":
            summary = label_with_ray([source], out, self.model, workers=self.workers, **common)
        else:
            summary = label_files([source], out, self.model, workers=self.workers, **common)
        return time.perf_counter() - started, summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=200_000, help="articles of the whole job")
    parser.add_argument("--articles", type=Path, default=Path("data/articles/train.jsonl"))
    parser.add_argument("--model", default="models:/tppo-modus@champion")
    parser.add_argument("--rounds", type=int, default=1, help="the engines take turns so many times")
    parser.add_argument("--workers", type=int, default=usable_cores())
    args = parser.parse_args()
    bench = Bench(args.model, args.workers)
    speeds: dict[str, list[float]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_articles(folder / "short.jsonl", args.articles, SHORT)
        write_articles(folder / "whole.jsonl", args.articles, SHORT + args.n)
        outs: dict[str, Path] = {}
        for turn in range(args.rounds):
            for engine in ("local", "ray"):
                short, _ = bench.label(engine, folder / "short.jsonl", folder / f"{engine}-short-{turn}")
                outs[engine] = folder / f"{engine}-{turn}"
                whole, summary = bench.label(engine, folder / "whole.jsonl", outs[engine])
                speeds[engine].append(args.n / (whole - short))
                print(
                    f"{engine:6} short {short:6.1f} s, whole {whole:6.1f} s: {speeds[engine][-1]:7,.0f} articles/s, "
                    f"{summary.labelled:,} labelled + {summary.quarantined:,} quarantined",
                    flush=True,
                )
        same = all(
            pq.read_table(part).equals(pq.read_table(outs["ray"] / part.name)) for part in outs["local"].glob("part-*")
        )
    local, ray = (sum(s) / len(s) for s in speeds.values())
    print(f"{args.n:,} articles, {args.workers} workers: Ray is {ray / local:.2f}x local; tables equal: {same}")


if __name__ == "__main__":
    main()
