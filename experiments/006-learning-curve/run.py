"""How much do more articles help, and what do keyword rules and weak labels give instead? Prints two tables.

Every model is the default one. Shares of the training part are drawn by whole syndication groups; all are scored on the
same test part, with 95 % intervals clustered by group.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tppo.classify import YES
from tppo.config import TrainConfig, compose
from tppo.corpus import Article, Cleaner
from tppo.dataset import load_parts, truth
from tppo.evaluate import Evaluation, evaluate
from tppo.train import fit_model, score

SHARES = (50, 100, 200, 400, 800)


def draw(articles: Sequence[Article], n: int, seed: int) -> list[Article]:
    """Take whole groups in random order until there are n articles."""
    groups: dict[str, list[Article]] = {}
    for a in articles:
        groups.setdefault(a.group or a.id, []).append(a)
    names = sorted(groups)
    np.random.default_rng(seed).shuffle(names)
    taken: list[Article] = []
    for name in names:
        if len(taken) >= n:
            break
        taken += groups[name]
    return taken


def keyword_labels(config: TrainConfig, articles: Sequence[Article]) -> np.ndarray:
    """Return 1 where a cue of the taxonomy occurs in the clean text."""
    cleaner = Cleaner(config.cleaning)
    labels = (*config.taxonomy.modus, config.taxonomy.context)
    patterns = [re.compile("|".join(f"(?:{cue})" for cue in label.cues), re.I) for label in labels]
    return np.array([[bool(p.search(cleaner.clean(a.text).text)) for p in patterns] for a in articles])


def row(name: str, scores: Evaluation) -> str:
    """Return a table row: macro-F1 with interval, F1 per modus, false alarms."""
    o = scores.overall
    modus = " | ".join(f"{scores.labels[key]['f1'].value:.3f}" for key in scores.macro_labels)
    f1 = o["f1_macro"]
    return f"| {name} | {f1.value:.3f} ({f1.low:.2f}-{f1.high:.2f}) | {modus} | {o['false_alarms'].value:.3f} |"


def plot(curve: Sequence[tuple[int, Evaluation]], path: Path) -> None:
    """Draw macro-F1 with its interval over the number of articles."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    n = [articles for articles, _ in curve]
    f1 = [scores.overall["f1_macro"] for _, scores in curve]
    below, above = [e.value - e.low for e in f1], [e.high - e.value for e in f1]
    axes.errorbar(n, [e.value for e in f1], yerr=[below, above], fmt="o", capsize=3)
    axes.set(xscale="log", xlabel="training articles", ylabel="macro-F1, test part (95 %)")
    axes.set_xticks(sorted(set(n)), [str(x) for x in sorted(set(n))])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shares", type=int, nargs="*", default=list(SHARES))
    parser.add_argument("--seeds", type=int, default=1, help="draws of each share")
    parser.add_argument("--plot", type=Path, help="PNG file for the learning curve")
    parser.add_argument("--set", action="append", default=[], metavar="OVERRIDE", help="as for tppo train; repeatable")
    args = parser.parse_args()
    config = compose("train", args.set, TrainConfig)
    parts = load_parts(config)
    learn, test = parts.learn, parts.test
    keys = config.taxonomy.label_keys
    head = f"| | macro-F1 | {' | '.join(config.taxonomy.modus_keys)} | false alarms |\n|{'---|' * (len(keys) + 2)}"

    print(f"\nLearning curve, {len(test)} test articles\n\n{head}")
    curve: list[tuple[int, Evaluation]] = []
    for n in [*(n for n in args.shares if n < len(learn)), len(learn)]:
        for seed in range(args.seeds if n < len(learn) else 1):
            part = draw(learn, n, config.seed + seed)
            model = fit_model(config, part, {})
            curve.append((len(part), score(config, test, model.read([a.text for a in test]))))
            print(row(f"{len(part)} articles", curve[-1][1]), flush=True)
    if args.plot:
        plot(curve, args.plot)

    print(f"\nInstead of labelled articles\n\n{head}")
    y = truth(test, keys) == 1
    groups = [a.group or a.id for a in test]
    rules = keyword_labels(config, test)
    named = {"labels": keys, "macro_labels": config.taxonomy.modus_keys, "groups": groups}
    print(row("keyword rules (the taxonomy's cues)", evaluate(y, rules.astype(float), rules, **named)))
    weak = keyword_labels(config, learn)
    relabelled = [
        dataclasses.replace(
            a,
            labels=tuple(key for key, given in zip(config.taxonomy.modus_keys, found) if given),
            tppo=bool(found[-1]),
            evidence=None,
        )
        for a, found in zip(learn, weak)
    ]
    readings = fit_model(config, relabelled, {}).read([a.text for a in test])
    print(
        row(
            "the model trained on what the rules say",
            evaluate(y, readings.probabilities, readings.decisions == YES, **named),
        )
    )
    plain = fit_model(config, [dataclasses.replace(a, evidence=None) for a in learn], {})
    print(row("gold labels without marked sentences", score(config, test, plain.read([a.text for a in test]))))


if __name__ == "__main__":
    main()
