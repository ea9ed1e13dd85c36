"""Compare all candidates for the classifier in one run: see README.md beside this file.

`make candidates`, or `python experiments/009-candidates/bench.py`. A grouped, repeated cross-validation on the train
part, then the test part once. Rows are written to results.csv as they are done; `--only` runs some of them again and
keeps the others.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import time
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
from candidates import CANDIDATES, DEFAULT, RULES, SETFIT, TFIDF
from prepared import Fitted, Prepared, folds
from threadpoolctl import threadpool_limits

from tppo.config import TrainConfig, compose
from tppo.corpus import Article, find_files, read_articles
from tppo.dataset import data_digest, load_parts
from tppo.embedding import StaticEncoder
from tppo.evaluate import Evaluation, Predictions, compare, evaluate, text_digest
from tppo.evaluate.bootstrap import clusters, estimate, group_draws, ratio

HERE = Path(__file__).parent
N_FOLDS, N_BOOTSTRAP = 5, 2000
SETFIT_OUT = HERE / "setfit.json"


def macro_f1(y: np.ndarray, runs: list[np.ndarray], groups: list[str]) -> tuple[float, float, float]:
    """Macro-F1, the mean over the repeats, with a 95 % interval by a bootstrap over syndication groups."""
    cluster, n_groups = clusters(groups)
    weights = np.ones((1 + N_BOOTSTRAP, len(y)))
    weights[1:] = group_draws(n_groups, N_BOOTSTRAP, np.random.default_rng(0))[:, cluster]
    scores = []
    for given in runs:
        hits, all_ = weights @ (y & given), weights @ (y.astype(float) + given)
        scores.append(ratio(2 * hits, all_)[:, :-1].mean(axis=1))
    found = estimate(np.mean(scores, axis=0))
    return found.value, found.low, found.high


class Bench:
    """The articles, and the fits that several candidates stand on."""

    def __init__(self, news: str | None, every: int, repeats: int | None) -> None:
        self.config = compose("train", [], TrainConfig)
        encoder = StaticEncoder()
        parts = load_parts(self.config)
        self.train = Prepared(self.config, encoder, parts.learn)
        self.test = Prepared(self.config, encoder, parts.test)
        found = [a for a in read_articles(find_files([news])) if isinstance(a, Article)][::every] if news else []
        self.news = Prepared(self.config, encoder, found)
        self.keys = self.config.taxonomy.label_keys
        self.digest = data_digest([*parts.learn, *parts.test])
        self.repeats = repeats
        self._bases: dict[tuple[str, str], tuple[Fitted, float]] = {}
        _ = self.train.windows, self.train.vectors, self.news.windows, self.news.vectors  # made once for everyone

    def fitted(self, name: str, part: Prepared, place: str) -> tuple[Fitted, float]:
        """Train a candidate; return it with its seconds of processor time, its bases' included."""
        if (name, place) in self._bases:
            return self._bases[name, place]
        bases = [self.fitted(base, part, place) for base in CANDIDATES[name].bases]
        started = time.process_time()
        fitted = CANDIDATES[name].train(part, *(base for base, _ in bases))
        done = fitted, time.process_time() - started + sum(seconds for _, seconds in bases)
        if any(name in c.bases for c in CANDIDATES.values()):
            self._bases[name, place] = done
        return done

    def row(self, name: str) -> dict[str, object]:
        """Cross-validate, then train on the whole train part and read the test part and the unrelated news."""
        runs = []
        for seed in range(self.repeats or CANDIDATES[name].repeats):
            given = np.zeros(self.train.y.shape, dtype=bool)
            for number, (inside, outside) in enumerate(folds(self.train, N_FOLDS, seed)):
                fitted, _ = self.fitted(name, self.train.take(inside), f"{seed}/{number}")
                given[outside] = fitted.label(self.train.take(outside))[1]
            runs.append(given)
        # Prepared anew: cleaning and encoding belong to what a candidate costs.
        whole, fresh = (Prepared(self.config, p.encoder, p.articles) for p in (self.train, self.test))
        fitted, seconds = self.fitted(name, whole, "all")
        started = time.process_time()
        p, given = fitted.label(fresh)
        rate = len(fresh.articles) / (time.process_time() - started)
        cv = macro_f1(self.train.y, runs, self.train.groups)
        news = fitted.label(self.news)[1] if self.news.articles else None
        return {"cv": cv, "repeats": len(runs), **self.scored(name, p, given, news), "seconds": seconds, "rate": rate}

    def scored(self, name: str, p: np.ndarray, given: np.ndarray, news: np.ndarray | None) -> dict[str, object]:
        """Score the test part and keep the predictions."""
        modus = self.config.taxonomy.modus_keys
        scores: Evaluation = evaluate(
            self.test.y,
            p,
            given,
            labels=self.keys,
            macro_labels=modus,
            groups=self.test.groups,
            n_bootstrap=N_BOOTSTRAP,
        )
        self.predictions(name).parent.mkdir(parents=True, exist_ok=True)
        kept = Predictions(
            self.keys,
            tuple(a.id for a in self.test.articles),
            tuple(self.test.groups),
            tuple(text_digest(a.text) for a in self.test.articles),
            self.test.y.astype(float),
            np.clip(p, 0, 1),
            given,
        )
        self.predictions(name).write_text(kept.to_csv(), encoding="utf-8")
        f1 = scores.overall["f1_macro"]
        return {
            "test": (f1.value, f1.low, f1.high),
            **{f"f1/{key}": scores.labels[key]["f1"].value for key in modus},
            "alarms": scores.overall["false_alarms"].value,
            "news": None if news is None else float(news[:, :-1].any(axis=1).mean()),
            "ece": max(scores.labels[key]["ece"].value for key in modus),
        }

    def predictions(self, name: str) -> Path:
        return Path(".cache/candidates") / f"{name.replace(' ', '-').replace(',', '')}.csv"

    def setfit(self, python: Path, steps: int) -> None:
        """Train SetFit in its own environment; every fourth of the news is enough for a model this slow."""
        scratch = Path(".cache/candidates")
        scratch.mkdir(parents=True, exist_ok=True)
        given = {
            "train": {"text": self.train.clean, "label": self.train.y.astype(int).tolist()},
            "test": self.test.clean,
            "news": self.news.clean[::4],
        }
        (scratch / "articles.json").write_text(json.dumps(given), encoding="utf-8")
        command = [python, HERE / "setfit_minilm.py", scratch / "articles.json", scratch / "setfit.json"]
        subprocess.run([*map(str, command), "--steps", str(steps)], check=True)
        found = json.loads((scratch / "setfit.json").read_text(encoding="utf-8"))
        SETFIT_OUT.write_text(json.dumps({"data": self.digest, **found}), encoding="utf-8")

    def setfit_row(self) -> dict[str, object] | None:
        """Score what SetFit said, if it was trained on these articles."""
        found = json.loads(SETFIT_OUT.read_text(encoding="utf-8")) if SETFIT_OUT.is_file() else {}
        if found.get("data") != self.digest:
            print(f"{SETFIT}: not trained on these articles; run with --setfit", flush=True)
            return None
        p, news = (np.array(found["probabilities"][part]).reshape(-1, len(self.keys)) for part in ("test", "news"))
        scores = self.scored(SETFIT, p, p >= 0.5, news >= 0.5 if len(news) else None)
        return {"cv": None, "repeats": 0, **scores, "seconds": found["seconds"], "rate": found["test/s"]}

    def significance(self) -> None:
        """Print the default against each rival: paired bootstrap over syndication groups on the test part."""
        print("\n| the default less | macro-F1 | p |\n|---|---|---|")
        for rival in (RULES, TFIDF, SETFIT):
            if not self.predictions(rival).is_file() or not self.predictions(DEFAULT).is_file():
                continue
            pair = [Predictions.from_csv(self.predictions(n).read_text(encoding="utf-8")) for n in (rival, DEFAULT)]
            if pair[0].digests == pair[1].digests:
                found = compare(*pair, macro_labels=self.config.taxonomy.modus_keys).f1_macro
                d = found.difference
                print(f"| {rival} | {d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f}) | {found.p:.4f} |")


def cells(row: dict[str, object]) -> dict[str, str]:
    """Format a row for the CSV file and the table."""

    def cell(name: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, tuple):
            return f"{value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})"
        if name in ("seconds", "rate", "repeats"):
            return f"{value:.0f}" if name != "seconds" or value >= 10 else f"{value:.1f}"
        return f"{value:.4f}" if name == "news" else f"{value:.3f}"

    return {name: cell(name, value) for name, value in row.items()}


def save(name: str, row: dict[str, str], digest: str) -> list[dict[str, str]]:
    """Put a row into results.csv in the place of an earlier one; return all rows, in the order of the candidates."""
    path = HERE / "results.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8"))) if path.is_file() else []
    rows = [r for r in rows if r["candidate"] != name] + [{"candidate": name, **row, "data": digest}]
    order = [*CANDIDATES, SETFIT]
    rows.sort(key=lambda r: order.index(r["candidate"]) if r["candidate"] in order else len(order))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[-1]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="candidates whose name contains one of these words")
    parser.add_argument("--news", default="../shared/data/news", help="unrelated articles; left out where missing")
    parser.add_argument("--every", type=int, default=4, help="read every n-th of the unrelated articles")
    parser.add_argument("--repeats", type=int, help="of the cross-validation, for every candidate alike")
    parser.add_argument("--setfit", type=Path, metavar="PYTHON", help="train SetFit with this Python (20 minutes)")
    parser.add_argument("--steps", type=int, default=150, help="of SetFit, 16 pairs each")
    args = parser.parse_args()
    bench = Bench(args.news if Path(args.news).exists() else None, args.every, args.repeats)
    sizes = [len(part.articles) for part in (bench.train, bench.test, bench.news)]
    print("{:,} articles to train on, {:,} to test on, {:,} unrelated ones".format(*sizes), flush=True)
    with threadpool_limits(1):
        for name in CANDIDATES:
            if args.only is None or any(word in name for word in args.only):
                row = cells(bench.row(name))
                save(name, row, bench.digest)
                print(name, row, flush=True)
    if args.setfit:
        bench.setfit(args.setfit, args.steps)
    if (row := bench.setfit_row()) is not None:
        save(SETFIT, cells(row), bench.digest)
    rows = list(csv.DictReader((HERE / "results.csv").open(encoding="utf-8")))
    columns = [c for c in rows[0] if c not in ("data", "repeats")]
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        stale = "" if row["data"] == bench.digest else " (other articles)"
        print(f"| {' | '.join(row[c] + (stale if c == 'candidate' else '') for c in columns)} |")
    bench.significance()


if __name__ == "__main__":
    main()
