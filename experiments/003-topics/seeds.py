"""When is an article near a seed? python experiments/003-topics/seeds.py data/articles

Compares the taxonomy's prototypes with an article's mean vector and with its nearest window: articles from each
similarity on, and the share of them that carries the seed's modus.
"""

from __future__ import annotations

import sys

import numpy as np

from tppo.config import TrainConfig, compose
from tppo.corpus import Article, Cleaner, find_files, read_articles
from tppo.embedding import StaticEncoder, cut_windows
from tppo.topics import article_vectors
from tppo.topics.consensus import unit_rows


def main(paths: list[str]) -> None:
    config = compose("train", [], TrainConfig)
    cleaner, encoder = Cleaner(config.cleaning), StaticEncoder()
    articles = [a for a in read_articles(find_files(paths)) if isinstance(a, Article) and a.labels is not None]
    windows = cut_windows([cleaner.clean(a.text).text for a in articles], encoder)
    windows = windows.with_vectors(encoder.encode(windows.texts))
    seeds = unit_rows(np.stack([encoder.encode(m.prototypes).mean(axis=0) for m in config.taxonomy.modus]))
    carried = np.array([[key in (a.labels or ()) for key in config.taxonomy.modus_keys] for a in articles])
    nearest = np.full((len(articles), len(seeds)), -1.0)
    np.maximum.at(nearest, windows.article, windows.vectors @ seeds.T)
    print("| similarity | by mean vector | right | by nearest window | right |\n|---|---|---|---|---|")
    for least in (0.45, 0.5, 0.55, 0.6, 0.65):
        cells = []
        for similarity in (unit_rows(article_vectors(windows)) @ seeds.T, nearest):
            near = np.flatnonzero(similarity.max(axis=1) >= least)
            right = carried[near, similarity[near].argmax(axis=1)]
            cells += [str(len(near)), f"{right.mean():.2f}" if len(near) else ""]
        print(f"| {least} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:] or ["data/articles"])
