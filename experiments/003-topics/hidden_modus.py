"""Hide one modus from the labels and see whether the alarm finds it: hidden_modus.py data/articles

With --classifier the modus is hidden from the classifier: it is trained without it, and its held-out decisions say
which articles are on trafficking, which carry a known modus and which are to be reviewed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tppo.classify import REVIEW, YES
from tppo.config import TrainConfig, compose
from tppo.corpus import Article, Cleaner, find_files, read_articles
from tppo.embedding import StaticEncoder, Windows, cut_windows
from tppo.topics.alarm import Alarm, find_alarms
from tppo.topics.novelty import BoolArray
from tppo.train import fit

PURE = 0.6


def decisions_without(
    hidden: str, config: TrainConfig, articles: Sequence[Article]
) -> tuple[BoolArray, dict[str, BoolArray], BoolArray]:
    """Train without the hidden modus; return held-out decisions: on trafficking, known modus, to review."""
    taxonomy = config.taxonomy.model_copy(update={"modus": tuple(m for m in config.taxonomy.modus if m.key != hidden)})
    known = set(taxonomy.modus_keys)
    seen = [
        replace(
            a,
            labels=tuple(k for k in a.labels or () if k in known),
            evidence=tuple(e for e in a.evidence or () if e.label != hidden),
        )
        for a in articles
    ]
    said = fit(config.model_copy(update={"taxonomy": taxonomy}), seen, {}).held_out_decisions
    modus = {key: said[:, i] == YES for i, key in enumerate(taxonomy.modus_keys)}
    return said[:, -1] == YES, modus, (said == REVIEW).any(axis=1)


def report(
    hidden: str, alarms: Sequence[Alarm], target: BoolArray, candidates: int, total: int, row: dict[str, int]
) -> None:
    """Print all alarms, and how good the best one and the pure ones together are."""
    n = int(target.sum())
    print(f"\nhidden {hidden}: {candidates} candidates, {n} carry it ({total} articles do alone); {len(alarms)} alarms")
    scores, together = [], np.zeros(len(target), dtype=bool)
    for rank, alarm in enumerate(alarms, 1):
        members = [row[i] for i in alarm.articles]
        hits = int(target[members].sum())
        precision, recall = hits / len(members), hits / n
        scores.append((2 * precision * recall / max(precision + recall, 1e-9), rank, precision, recall))
        if precision >= PURE:
            together[members] = True
        print(
            f"  {rank} n {len(members):>3} precision {precision:.2f} recall {recall:.2f} "
            f"novelty {alarm.novelty:4.1f} growth {alarm.growth:.2f} (>{alarm.growth_lo:.2f}) "
            f"near {alarm.nearest_modus}: {', '.join(alarm.words)}"
        )
    f1, rank, precision, recall = max(scores, default=(0.0, 0, 0.0, 0.0))
    found = int((together & target).sum())
    print(
        f"  best: number {rank}, precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}; all pure (>= {PURE}):"
        f" precision {found / max(1, together.sum()):.2f}, recall {found / n:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", default=["data/articles"])
    parser.add_argument("--classifier", action="store_true", help="hide the modus from the classifier")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    config = compose("train", [], TrainConfig)
    cleaner = Cleaner(config.cleaning)
    articles = [a for a in read_articles(find_files(options.paths)) if isinstance(a, Article) and a.labels is not None]
    texts = [cleaner.clean(a.text).text for a in articles]
    encoder = StaticEncoder()
    windows: Windows = cut_windows(texts, encoder)
    windows = windows.with_vectors(encoder.encode(windows.texts))
    row = {a.id: n for n, a in enumerate(articles)}
    carried = {key: np.array([key in (a.labels or ()) for a in articles]) for key in config.taxonomy.modus_keys}
    truly = np.array([bool(a.tppo) for a in articles])
    for hidden in carried:
        tppo, review = truly, np.zeros(len(articles), dtype=bool)
        known = {key: mask for key, mask in carried.items() if key != hidden}
        if options.classifier:
            tppo, known, review = decisions_without(hidden, config, articles)
        candidate = (tppo | review) & ~np.logical_or.reduce(list(known.values()))
        alarms = find_alarms(
            windows, texts, list(row), tppo=tppo, modus=known, review=review,
            dates=[a.published_at for a in articles], seed=options.seed,
        )  # fmt: skip
        only = carried[hidden] & truly & ~np.logical_or.reduce([mask for key, mask in carried.items() if key != hidden])
        report(hidden, alarms, carried[hidden] & candidate, int(candidate.sum()), int(only.sum()), row)


if __name__ == "__main__":
    main()
