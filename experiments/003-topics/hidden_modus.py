"""Hide one modus from the labels and see whether the alarm finds it: hidden_modus.py data/articles"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import yaml

from tppo.corpus import Article, Cleaner, CleaningRules, find_files, read_articles
from tppo.embedding import StaticEncoder, cut_windows
from tppo.taxonomy import Taxonomy
from tppo.topics.alarm import find_alarms

CONFIGS = Path(__file__).parents[2] / "configs"


def main(paths: list[str]) -> None:
    cleaner = Cleaner(
        CleaningRules.model_validate(yaml.safe_load((CONFIGS / "cleaning/indonesian-news.yaml").read_text()))
    )
    keys = Taxonomy.model_validate(yaml.safe_load((CONFIGS / "taxonomy/tppo.yaml").read_text())).modus_keys
    articles = [a for a in read_articles(find_files(paths)) if isinstance(a, Article) and a.labels is not None]
    texts = [cleaner.clean(a.text).text for a in articles]
    encoder = StaticEncoder()
    windows = cut_windows(texts, encoder)
    windows = windows.with_vectors(encoder.encode(windows.texts))
    ids = [a.id for a in articles]
    row = {i: n for n, i in enumerate(ids)}
    tppo = np.array([bool(a.tppo) for a in articles])
    carried = {key: np.array([key in (a.labels or ()) for a in articles]) for key in keys}
    for hidden in keys:
        known = {key: mask for key, mask in carried.items() if key != hidden}
        target = carried[hidden] & tppo & ~np.logical_or.reduce(list(known.values()))
        candidates = int((tppo & ~np.logical_or.reduce(list(known.values()))).sum())
        alarms = find_alarms(windows, texts, ids, tppo=tppo, modus=known, dates=[a.published_at for a in articles])
        print(f"\nhidden {hidden}: {target.sum()} articles among {candidates} candidates; {len(alarms)} alarms")
        for rank, alarm in enumerate(alarms[:12], 1):
            hits = int(target[[row[i] for i in alarm.articles]].sum())
            precision, recall = hits / len(alarm.articles), hits / int(target.sum())
            print(
                f"  {rank:>2} n {len(alarm.articles):>3} precision {precision:.2f} recall {recall:.2f} "
                f"novelty {alarm.novelty:4.1f} growth {alarm.growth:.2f} (>{alarm.growth_lo:.2f}) "
                f"near {alarm.nearest_modus}: {', '.join(alarm.words[:6])}"
            )


if __name__ == "__main__":
    main(sys.argv[1:] or ["data/articles"])
