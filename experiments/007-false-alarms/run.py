"""Which unrelated articles does the default model give a modus? Prints the share and every such article's evidence."""

from __future__ import annotations

import argparse
from pathlib import Path

from tppo.classify import YES
from tppo.config import TrainConfig, compose
from tppo.corpus import Article, find_files, load_split, read_articles
from tppo.train import fit_model, read_corpus


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("news", nargs="+", help="Unrelated articles: files, folders or globs.")
    parser.add_argument("--every", type=int, default=1, help="Read only every n-th article.")
    args = parser.parse_args()
    config = compose("train", [], TrainConfig)
    articles, _ = read_corpus(config)
    learn = set(load_split(Path(config.split.file or "data/splits/authored.json")).train)
    model = fit_model(config, [a for a in articles if a.id in learn], {})
    news = [a for a in read_articles(find_files(args.news)) if isinstance(a, Article)][:: args.every]
    n_modus = len(model.keys) - 1
    alarms = 0
    for first in range(0, len(news), 256):
        batch = news[first : first + 256]
        readings = model.read([a.text for a in batch])
        for row, article in enumerate(batch):
            if (readings.decisions[row, :n_modus] == YES).any():
                alarms += 1
                print(f"{article.id}: {article.title}")
                for e in readings.evidence[row]:
                    if e.label != model.keys[-1]:
                        print(f"    {e.label} {e.score:.2f}  {' '.join(e.text.split())[:160]}")
    print(f"{alarms} of {len(news)} articles ({alarms / max(1, len(news)):.2%}) were given a modus")


if __name__ == "__main__":
    main()
