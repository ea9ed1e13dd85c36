"""Make the two training folders (all articles; one per story), then sweep over cleaning and folder. Prints the table.

The test part is the same in all four trials: only training articles are left out.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tppo.cli.show import show_sweep
from tppo.corpus_run import dedup_files
from tppo.sweep import sweep
from tppo.sweep_file import load_sweep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", default="data/articles/train.jsonl")
    parser.add_argument("--test", default="data/articles/test.jsonl")
    parser.add_argument("--sweep", type=Path, default=Path(__file__).with_name("sweep.yaml"))
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    for name, drop in (("all", False), ("one-per-story", True)):
        folder = Path("out/study") / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(args.test, folder / "test.jsonl")
        summary = dedup_files([args.train], folder / "train.jsonl", cleaning="indonesian-news", drop=drop)
        kept = sum(1 for _ in (folder / "train.jsonl").open(encoding="utf-8"))
        print(f"{name}: {kept} of {summary.articles} training articles, {summary.counts}")
    show_sweep(sweep(load_sweep(args.sweep), workers=args.workers))


if __name__ == "__main__":
    main()
