"""Which words should stand for a topic? python experiments/003-topics/words.py ../shared/data/news

Topics of five 80 % subsamples (16 topics); the words of each are scored by NPMI on all articles, and on the fifth that
the subsample left out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bench import prepare

from tppo.topics import TopicModel, TopicSettings, count_terms
from tppo.topics.consensus import subsamples
from tppo.topics.metrics import diversity, npmi
from tppo.topics.words import class_tf_idf, coherent_columns, merge_forms

VARIANTS = [
    ("all counts, 20 candidates", False, 0.0, 20),
    ("all counts, 40 candidates", False, 0.0, 40),
    ("all counts, in 5 % of articles", False, 0.05, 20),
    ("articles, 20 candidates", True, 0.0, 20),
    ("articles, in 5 %, none dropped for coherence", True, 0.05, 10),
    ("articles, in 5 %, 20 candidates (ours)", True, 0.05, 20),
    ("articles, in 5 %, 40 candidates", True, 0.05, 40),
    ("articles, in 10 %, 40 candidates", True, 0.1, 40),
]


def choose(labels: Any, terms: Any, by_article: bool, share: float, candidates: int) -> list[list[str]]:
    """Return ten words per topic."""
    held = (terms.counts > 0).astype(np.int64)
    members = [np.flatnonzero(labels == t) for t in range(labels.max() + 1)]
    in_articles = np.stack([np.asarray(held[m].sum(axis=0)).ravel() for m in members])
    counts = in_articles
    if not by_article:
        counts = np.stack([np.asarray(terms.counts[m].sum(axis=0)).ravel() for m in members])
    weights = class_tf_idf(counts)
    owner = weights.argmax(axis=0)
    chosen = []
    for t, m in enumerate(members):
        own = np.where((owner == t) & (in_articles[t] >= share * len(m)), weights[t], 0)
        ranked = [int(c) for c in np.argsort(-own, kind="stable")[: 3 * candidates] if own[c] > 0]
        columns = merge_forms(ranked, terms.vocabulary)[:candidates]
        kept = coherent_columns(columns, terms.presence, 10)
        chosen.append([terms.vocabulary[c] for c in columns if c in kept])
    return chosen


def main(source: str) -> None:
    """Print one line per variant."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(source), Path(folder), None)
        texts = json.loads((Path(folder) / "articles.json").read_text())["texts"]
        vectors = np.load(Path(folder) / "vectors.npy")
    everything = count_terms(texts, min_df=1)
    scores: dict[str, list[tuple[float, float, float]]] = {}
    for s, rows in enumerate(subsamples(len(texts), n_draws=5)):
        own = [texts[i] for i in rows]
        terms = count_terms(own, min_df=3)
        settings = TopicSettings(n_topics=16, seed=s + 1)
        model = TopicModel.fit(vectors[rows], own, [str(i) for i in rows], settings=settings, terms=terms)
        labels = model.assign(vectors[rows])
        rest = everything.presence[np.setdiff1d(np.arange(len(texts)), rows)]
        for name, *options in VARIANTS:
            words = choose(labels, terms, *options)
            row = [npmi(words, everything.vocabulary, part) for part in (rest, everything.presence)]
            scores.setdefault(name, []).append((*row, diversity(words)))
    print("| words | NPMI held out | NPMI | diversity |\n|---|---|---|---|")
    for name, values in scores.items():
        print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in np.mean(values, axis=0)) + " |")


if __name__ == "__main__":
    main(sys.argv[1])
