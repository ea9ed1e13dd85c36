"""Does the evidence carry the labels, and what happens with texts from elsewhere? Figures of the default model.

`make evidence`, or `python experiments/009-candidates/evidence_and_shift.py`. `--read 20` prints so many articles'
evidence.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np

from tppo.classify import YES, ModusModel
from tppo.classify.faithfulness import deletions
from tppo.config import TrainConfig, compose
from tppo.corpus import Article, find_files, read_articles
from tppo.dataset import load_parts
from tppo.train import fit_model

BOILERPLATE = Path("data/gold/boilerplate-test.jsonl")


def evidence(model: ModusModel, test: list[Article]) -> None:
    """Print the deletion test, the hits on marked sentences and what stands in boilerplate."""
    found = deletions(model, [a.text for a in test])
    print("\n| label | given | falls without its evidence | median fall | falls by 0.1 without others | median fall |")
    print("|---|---|---|---|---|---|")
    for label in (*model.keys, "all"):
        some = [d for d in found if label in (d.label, "all")]
        fall = np.array([d.whole - d.without_evidence for d in some])
        other = np.array([d.whole - d.without_others for d in some])
        other = other[~np.isnan(other)]
        print(
            f"| {label} | {len(some)} | {(fall > 0).mean():.1%} | {np.median(fall):.3f} | {(other > 0.1).mean():.1%} | "
            f"{np.median(other):.4f} |"
        )
    readings = model.read([a.text for a in test])
    lines = {row["id"]: row["spans"] for row in map(json.loads, BOILERPLATE.open(encoding="utf-8"))}
    hits: dict[str, list[bool]] = {key: [] for key in model.keys}
    right, touched = [], []
    for article, quoted in zip(test, readings.evidence):
        marked = article.evidence or ()
        for e in quoted:
            touched.append(any(e.start < end and start < e.end for start, end in lines.get(article.id, ())))
            stated = [s for s in marked if s.label == e.label]
            if stated:
                right.append(any(e.start < s.end and s.start < e.end for s in stated))
        for label in {s.label for s in marked} & {e.label for e in quoted}:
            pairs = [(e, s) for e in quoted for s in marked if e.label == s.label == label]
            hits[label].append(any(e.start < s.end and s.start < e.end for e, s in pairs))
    all_hits = [hit for label in hits.values() for hit in label]
    by_label = ", ".join(f"{key} {np.mean(h):.1%} of {len(h)}" for key, h in hits.items() if h)
    print(f"\nright labels whose evidence hits a marked sentence: {np.mean(all_hits):.1%} ({by_label})")
    print(f"quoted sentences that are marked ones, where any are marked: {np.mean(right):.1%} of {len(right)}")
    print(f"quoted sentences that touch boilerplate: {sum(touched)} of {len(touched)} ({np.mean(touched):.2%})")


def shift(model: ModusModel, test: list[Article], data: Path) -> None:
    """Print what becomes of upper case, of a very long text, of unrelated news and of English."""
    assert model.domain is not None
    print(
        f"\nknown words: {len(model.domain.known):,}; usual share {model.domain.usual:.3f}, "
        f"floor {model.domain.floor:.3f}"
    )
    usual, upper = (model.read([change(a.text) for a in test]) for change in (str, str.upper))
    same = (usual.decisions == upper.decisions).all(axis=1)
    labels = ((usual.decisions == YES) == (upper.decisions == YES)).all(axis=1)
    print(
        f"upper case: {labels.mean():.1%} of {len(test)} test articles get the same labels, {same.mean():.1%} decisions"
    )
    print(f"test articles taken for foreign: {sum(r is not None for r in usual.reasons)}")
    body = "\n".join(c.text for c in model.clean([a.text for a in test]))
    text = "\n".join([body] * (100_000 // len(body.split()) + 1))
    started = time.process_time()
    long = model.read([text])
    print(
        f"{len(text.split()):,} words: {time.process_time() - started:.1f} s, {long.n_tokens[0]:,} tokens read, "
        f"{long.n_dropped[0]:,} counted as dropped"
    )
    started = time.process_time()
    for a in test:
        model.domain.reason(a.text)
    print(f"time of the check: {1e6 * (time.process_time() - started) / len(test):.0f} microseconds per article")
    news, pairs = data / "news", data / "pairs" / "en-id-desmond.jsonl.gz"
    if news.is_dir():
        some = [a.text for a in read_articles(find_files([news])) if isinstance(a, Article)][::4]
        outside("unrelated Indonesian news", model, some)
    if pairs.is_file():
        with gzip.open(pairs, "rt", encoding="utf-8") as stream:
            rows = [json.loads(line) for _, line in zip(range(2000), stream)]
        for name, side in (("English", "b"), ("the same in Indonesian", "a")):
            texts = [". ".join(row[side] for row in rows[i : i + 10]) for i in range(0, len(rows), 10)]
            outside(f"{name}, ten sentences each", model, texts)


def outside(name: str, model: ModusModel, texts: list[str]) -> None:
    """Print how many texts the check of the domain holds back, and what it changes."""
    unchecked = ModusModel(model.settings, model.encoder, model.terms, model.scorer, tuned=model.tuned)
    readings, before = model.read(texts), unchecked.read(texts)
    away = np.array([reason is not None for reason in readings.reasons])
    now, then = ((r.decisions[:, :-1] == YES).any(axis=1).mean() for r in (readings, before))
    print(
        f"{name}: {len(texts)} texts, {away.mean():.1%} outside; given a modus {now:.2%}, without the check {then:.2%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="left out where missing")
    parser.add_argument("--read", type=int, default=0, help="print the evidence of so many articles, evenly spread")
    args = parser.parse_args()
    config = compose("train", [], TrainConfig)
    parts = load_parts(config)
    model = fit_model(config, parts.learn, {})
    evidence(model, parts.test)
    shift(model, parts.test, args.data)
    readings = model.read([a.text for a in parts.test])
    labelled = [i for i, quoted in enumerate(readings.evidence) if quoted]
    for i in labelled[:: max(1, len(labelled) // args.read)][: args.read] if args.read else []:
        print(f"\n{parts.test[i].id}: {', '.join(parts.test[i].labels or ('none',))}")
        for e in readings.evidence[i]:
            print(f"    {e.label} {e.score:.2f}  {' '.join(e.text.split())}")


if __name__ == "__main__":
    main()
