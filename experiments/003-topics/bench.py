"""Topic models side by side on news with desk labels: python experiments/003-topics/bench.py ../shared/data/news

Every method gets the same clean texts, the same stop words and, where it takes vectors, the same vectors; ours chooses
the number of topics, the others that take one are given the same; stock BERTopic finds its own. Each runs in a process
of its own, for its time and peak memory. NPMI is taken twice: on the articles the words were chosen on, and on the 20 %
that the fit on a subsample did not see.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("PYTHONWARNINGS", "ignore")
warnings.filterwarnings("ignore")

import numpy as np

METHODS = ("ours", "bertopic", "bertopic-pca-kmeans", "nmf", "lda")
ABSENT = -2


def fit(method: str, texts: list[str], vectors: Any, k: int | None, seed: int | None) -> tuple[Any, list[list[str]]]:
    """Return topic per article (-1: none) and ten words per topic. `seed` None: the method's own default."""
    from tppo.topics import TopicModel, TopicSettings
    from tppo.topics.stopwords import STOP_WORDS
    from tppo.topics.words import content_words

    if method == "ours":
        settings = TopicSettings(n_topics=k, target_stability=0.8, seed=seed or 0)
        model = TopicModel.fit(vectors, texts, [str(i) for i in range(len(texts))], settings=settings)
        return model.assign(vectors), [list(t.words) for t in model.topics]
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    if method.startswith("bertopic"):
        from bertopic import BERTopic

        options: dict[str, Any] = {"vectorizer_model": CountVectorizer(stop_words=sorted(STOP_WORDS))}
        if method == "bertopic-pca-kmeans":
            from sklearn.cluster import KMeans
            from sklearn.decomposition import PCA

            options |= {"umap_model": PCA(30, random_state=seed), "hdbscan_model": KMeans(k or 20, random_state=seed)}
        elif seed is not None:
            from umap import UMAP

            options["umap_model"] = UMAP(15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
        topic_model = BERTopic(**options)
        labels, _ = topic_model.fit_transform(texts, vectors)
        words = [[w for w, _ in topic_model.get_topic(t) if w] for t in sorted(set(labels)) if t >= 0]
        return np.array(labels), words
    from sklearn.decomposition import NMF, LatentDirichletAllocation

    kind = TfidfVectorizer if method == "nmf" else CountVectorizer
    vectorizer = kind(analyzer=content_words, min_df=3, max_features=20_000)
    table = vectorizer.fit_transform(texts)
    model_: Any = NMF(k or 20, random_state=seed, init="nndsvda", max_iter=300)
    if method == "lda":
        model_ = LatentDirichletAllocation(k or 20, random_state=seed, max_iter=10, learning_method="online")
    weights = model_.fit_transform(table)
    names = vectorizer.get_feature_names_out()
    return weights.argmax(axis=1), [[names[i] for i in np.argsort(-row)[:10]] for row in model_.components_]


def measure(method: str, folder: Path, repeats: int, k: int | None) -> dict[str, Any]:
    """Fit once for time and quality, then over seeds and over 80 % subsamples."""
    from sklearn.metrics import normalized_mutual_info_score

    from tppo.topics import count_terms
    from tppo.topics.consensus import subsamples
    from tppo.topics.metrics import diversity, npmi, stability

    data = json.loads((folder / "articles.json").read_text())
    texts, labels_known = data["texts"], data["labels"]
    vectors = np.load(folder / "vectors.npy")
    terms = count_terms(texts, min_df=1)
    started = time.perf_counter()
    labels, words = fit(method, texts, vectors, k, None)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    again = fit(method, texts, vectors, k, 0) if method == "ours" else None
    if method == "ours":
        k = len(words)  # chosen once on all articles, then kept, as the certificate does
    seeds = [fit(method, texts, vectors, k, s)[0] for s in range(1, repeats + 1)]
    parts, held = [], []
    for s, rows in enumerate(subsamples(len(texts), n_draws=repeats, seed=0)):
        got, chosen = fit(method, [texts[i] for i in rows], vectors[rows], k, s + 1)
        whole = np.full(len(texts), ABSENT)
        whole[rows] = got
        parts.append(whole)
        rest = np.setdiff1d(np.arange(len(texts)), rows)
        held.append(npmi(chosen, terms.vocabulary, terms.presence[rest]))
    return {
        "method": method,
        "topics": len(words),
        "outliers": float((labels < 0).mean()),
        "npmi": npmi(words, terms.vocabulary, terms.presence),
        "npmi held out": float(np.mean(held)),
        "diversity": diversity(words),
        "nmi desk": float(normalized_mutual_info_score(labels_known, labels)),
        "stab. seeds": stability(seeds),
        "stab. subs.": stability(parts),
        "seconds": seconds,
        "peak GB": peak,
        "same bits": None if again is None else bool(np.array_equal(labels, again[0]) and words == again[1]),
    }


def prepare(source: Path, folder: Path, size: int | None) -> int:
    """Read, clean and embed the articles once for all methods; `size` resamples windows into that many articles."""
    import yaml

    from tppo.corpus import Cleaner, CleaningRules
    from tppo.embedding import StaticEncoder, cut_windows
    from tppo.topics import article_vectors

    path = next(iter(sorted(source.glob("*.jsonl.gz")))) if source.is_dir() else source
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rules = Path(__file__).parents[2] / "configs" / "cleaning" / "indonesian-news.yaml"
    cleaner = Cleaner(CleaningRules.model_validate(yaml.safe_load(rules.read_text(encoding="utf-8"))))
    texts = [cleaner.clean(row["text"]).text for row in rows]
    labels = [row["label"] for row in rows]
    encoder = StaticEncoder()
    windows = cut_windows(texts, encoder)
    windows = windows.with_vectors(encoder.encode(windows.texts))
    vectors = article_vectors(windows)
    if size is not None:
        rng = np.random.default_rng(0)
        first = np.searchsorted(windows.article, np.arange(len(texts) + 1))
        drawn = rng.integers(len(texts), size=size)
        picks = [first[a] + rng.integers(first[a + 1] - first[a], size=min(8, first[a + 1] - first[a])) for a in drawn]
        texts = ["\n".join(windows.texts[w] for w in pick) for pick in picks]
        assert windows.vectors is not None
        vectors = np.stack([windows.vectors[pick].mean(axis=0) for pick in picks])
        labels = [labels[a] for a in drawn]
    (folder / "articles.json").write_text(json.dumps({"texts": texts, "labels": labels}))
    np.save(folder / "vectors.npy", vectors)
    return len(texts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("news", type=Path, help="folder or file of articles, JSONL.gz with text and label")
    parser.add_argument("--repeats", type=int, default=5, help="fits over seeds, and over subsamples")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--topics", type=int, default=None, help="number of topics (ours: chosen)")
    parser.add_argument("--size", type=int, default=None, help="resample windows into this many articles")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        sys.stdout.write(json.dumps(measure(options.worker, options.news, options.repeats, options.topics)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        n = prepare(options.news, Path(scratch), options.size)
        rows: list[dict[str, Any]] = []
        for method in options.methods:
            k = options.topics or (rows[0]["topics"] if rows and rows[0]["method"] == "ours" else None)
            command = [sys.executable, __file__, scratch, "--worker", method, "--repeats", str(options.repeats)]
            command += ["--topics", str(k)] if k is not None and method != "bertopic" else []
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{method}: failed: {done.stderr.strip().splitlines()[-1:]}")
                continue
            rows.append(json.loads(done.stdout[done.stdout.index("{") :]))
            if len(rows) == 1:
                print(
                    f"{n:,} articles; stability over {options.repeats} seeds and {options.repeats} subsamples of 80 %"
                )
                print(" | ".join(f"{key:>13}" for key in rows[0]))
            cells = [f"{v:.3f}" if isinstance(v, float) else str(v) for v in rows[-1].values()]
            print(" | ".join(f"{cell:>13}" if i else f"{cell:<19}" for i, cell in enumerate(cells)), flush=True)


if __name__ == "__main__":
    main()
