"""How much does a naive random split flatter the model? Trains the default model on each kind, writes README.md.

Two collections: the whole shipped corpus, and only its articles whose story is told more than once (as in a scrape of
many outlets, where most stories come several times).
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tppo.config import SplitConfig, TrainConfig, compose
from tppo.corpus import Article, Cleaner
from tppo.corpus.syndication import group_articles
from tppo.embedding.static import StaticEncoder
from tppo.train import fit_model, read_corpus, score, split_articles

HERE = Path(__file__).parent
KINDS = {
    "random": "articles at random",
    "balanced": "whole stories, labels balanced",
    "outlet": "whole outlets and stories",
    "time": "the latest quarter, whole stories",
}


def told_together(articles: Sequence[Article], config: TrainConfig) -> list[Article]:
    """Give all articles of a story one group: authored, of the same source page, or found as by `tppo corpus dedup`."""
    cleaner = Cleaner(config.cleaning)
    texts = [cleaner.clean(a.text).text for a in articles]
    found = group_articles(texts, vectors=StaticEncoder().encode(texts), published=[a.published_at for a in articles])
    path = Path("data/provenance.csv")
    sources = {r["id"]: r["source"] for r in csv.DictReader(path.open(encoding="utf-8"))} if path.is_file() else {}
    story = list(range(len(articles)))

    def root(i: int) -> int:
        while story[i] != i:
            i = story[i]
        return i

    first: dict[tuple[str, object], int] = {}
    for i, a in enumerate(articles):
        for key in (("found", int(found[i])), ("group", a.group), ("source", sources.get(a.id))):
            if key[1] is not None:
                story[root(i)] = root(first.setdefault(key, i))
    return [dataclasses.replace(a, group=f"story-{root(i)}") for i, a in enumerate(articles)]


def f1(articles: Sequence[Article], config: TrainConfig, kind: str, seed: int) -> tuple[float, float, int]:
    """Return macro-F1, the share of test articles whose story was also learnt from, and the number of test articles."""
    config = config.model_copy(update={"seed": seed, "n_bootstrap": 0})
    split = split_articles(articles, SplitConfig(by=kind), keys=config.taxonomy.label_keys, seed=seed)
    by_id = {a.id: a for a in articles}
    learn, test = ([by_id[i] for i in part] for part in (split.train, split.test))
    known = {a.group for a in learn}
    model = fit_model(config, learn, {})
    scores = score(config, test, model.read([a.text for a in test]))
    return scores.overall["f1_macro"].value, float(np.mean([a.group in known for a in test])), len(test)


def table(name: str, articles: Sequence[Article], config: TrainConfig, seeds: Sequence[int]) -> list[str]:
    """Return the lines of one collection's table."""
    size: dict[str | None, int] = {}
    for a in articles:
        size[a.group] = size.get(a.group, 0) + 1
    lines = [f"\n{name}: {len(articles):,} articles, {len(size):,} stories, {sum(n for n in size.values() if n > 1):,}"]
    lines[0] += " articles whose story is told more than once.\n"
    lines += [
        "| split | macro-F1, mean | per seed | test articles | story also in the training part |",
        "|---|---|---|---|---|",
    ]
    means = {}
    for kind, says in KINDS.items():
        runs = [f1(articles, config, kind, seed) for seed in (seeds[:1] if kind == "time" else seeds)]
        values = [run[0] for run in runs]
        means[kind] = float(np.mean(values))
        each = ", ".join(f"{v:.3f}" for v in values)
        leak = np.mean([run[1] for run in runs])
        lines.append(f"| {kind}: {says} | {means[kind]:.3f} | {each} | {runs[0][2]} | {leak:.1%} |")
    for kind in ("balanced", "outlet", "time"):
        lines.append(f"\nRandom above {kind}: {means['random'] - means[kind]:+.3f}.")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    args = parser.parse_args()
    config = compose("train", [], TrainConfig)
    articles = told_together(read_corpus(config)[0], config)
    size: dict[str | None, int] = {}
    for a in articles:
        size[a.group] = size.get(a.group, 0) + 1
    lines = [
        "# How much does a naive random split flatter the model?\n",
        "Scraped news comes several times: wire copy, rewrites, follow-ups. If they are split at random, one telling",
        "of a story is learnt and another is scored. This trains the default model on each kind of split of the same",
        "articles.",
        "A story is: the authored group, the same source page in data/provenance.csv, or a group that",
        "`tppo corpus dedup` finds.\n",
        "    python experiments/004-splits/run.py\n",
        "## Result",
    ]
    lines += table("The whole shipped corpus", articles, config, args.seeds)
    lines += table(
        "Only the stories told more than once", [a for a in articles if size[a.group] > 1], config, args.seeds
    )
    lines += ["", "## Decision", ""]
    lines += [(HERE / "decision.txt").read_text(encoding="utf-8").strip()] if (HERE / "decision.txt").is_file() else []
    (HERE / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
