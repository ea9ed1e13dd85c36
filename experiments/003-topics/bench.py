"""Topic models side by side on news with desk labels: python experiments/003-topics/bench.py ../shared/data/news

Every method gets the same clean texts, the same stop words and, where it takes vectors, the same vectors; ours chooses
the number of topics (anew for every seed and subsample), the others that take one are given the same; stock BERTopic
finds its own. Each runs in a process of its own, for its time and peak memory; imports are not counted. NPMI is taken
twice: on the articles the words were chosen on, and on the 20 % that the fit on a subsample did not see. Turftopic
needs an environment of its own (`make bench-topics` builds it). A second table gives one fit each at more articles,
made by drawing eight windows of a drawn article.
"""

from __future__ import annotations

import argparse
import contextlib
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

METHODS = ("ours", "nmf", "lda", "s3", "bertopic-pca-kmeans", "bertopic")
AT_SCALE = ("ours", "bertopic", "bertopic-pca-kmeans", "nmf")
ABSENT = -2


def fit(method: str, texts: list[str], vectors: Any, k: int | None, seed: int | None) -> tuple[Any, list[list[str]]]:
    """Return topic per article (-1: none) and ten words per topic. `seed` None: the method's own default."""
    from tppo.topics import TopicModel, TopicSettings
    from tppo.topics.stopwords import STOP_WORDS
    from tppo.topics.words import content_words

    if method == "ours":
        settings = TopicSettings(n_topics=k, seed=seed or 0)
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
    if method == "s3":
        return fit_s3(texts, vectors, k or 20, seed)
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


def fit_s3(texts: list[str], vectors: Any, k: int, seed: int | None) -> tuple[Any, list[list[str]]]:
    """Turftopic's semantic signal separation; an article has the topic of its largest component."""
    from sklearn.feature_extraction.text import CountVectorizer
    from turftopic import SemanticSignalSeparation

    from tppo.embedding import StaticEncoder
    from tppo.topics.words import content_words

    class Encoder:
        def encode(self, words: Sequence[str], **_: Any) -> Any:
            return StaticEncoder().encode(list(words))

    vectorizer = CountVectorizer(analyzer=content_words, min_df=3, max_features=20_000)
    s3 = SemanticSignalSeparation(k, encoder=Encoder(), vectorizer=vectorizer, random_state=seed)
    with contextlib.redirect_stdout(sys.stderr):
        weights = s3.fit_transform(texts, embeddings=vectors)
    names = s3.get_vocab()
    return weights.argmax(axis=1), [[names[i] for i in np.argsort(-row)[:10]] for row in s3.components_]


def warm_up(method: str) -> None:
    """Import what the method needs, so that its time is that of the fit."""
    import sklearn.cluster
    import sklearn.decomposition
    import sklearn.feature_extraction.text
    import sklearn.metrics  # noqa: F401

    if method.startswith("bertopic"):
        import bertopic  # noqa: F401
        import hdbscan  # noqa: F401
        import umap  # noqa: F401
    if method == "s3":
        import turftopic  # noqa: F401


def measure_once(method: str, folder: Path, k: int | None) -> tuple[dict[str, Any], Any, list[list[str]]]:
    """Fit once: seconds by the clock and of the processor, and peak memory of the process."""
    data = json.loads((folder / "articles.json").read_text())
    vectors = np.load(folder / "vectors.npy")
    warm_up(method)
    started, used = time.perf_counter(), time.process_time()
    labels, words = fit(method, data["texts"], vectors, k, None)
    row = {
        "method": method,
        "topics": len(words),
        "outliers": float((labels < 0).mean()),
        "seconds": time.perf_counter() - started,
        "cpu s": time.process_time() - used,
        "peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    return row, labels, words


def measure(method: str, folder: Path, repeats: int, k: int | None) -> dict[str, Any]:
    """Fit once for time and quality, then over seeds and over 80 % subsamples; `repeats` 0 only once."""
    row, labels, words = measure_once(method, folder, k)
    if not repeats:
        return row
    from sklearn.metrics import normalized_mutual_info_score

    from tppo.topics import count_terms
    from tppo.topics.consensus import subsamples
    from tppo.topics.metrics import diversity, npmi, stability

    data = json.loads((folder / "articles.json").read_text())
    texts, labels_known = data["texts"], data["labels"]
    vectors = np.load(folder / "vectors.npy")
    terms = count_terms(texts, min_df=1)
    again = fit(method, texts, vectors, k, 0) if method == "ours" else None
    seeds = [fit(method, texts, vectors, k, s)[0] for s in range(1, repeats + 1)]

    def on_subsamples(k: int | None) -> tuple[float, float, list[int]]:
        """Return stability, coherence on the articles left out, and numbers of topics over subsamples."""
        parts, held, numbers = [], [], []
        for s, rows in enumerate(subsamples(len(texts), n_draws=repeats, seed=0)):
            got, chosen = fit(method, [texts[i] for i in rows], vectors[rows], k, s + 1)
            whole = np.full(len(texts), ABSENT)
            whole[rows] = got
            parts.append(whole)
            rest = np.setdiff1d(np.arange(len(texts)), rows)
            held.append(npmi(chosen, terms.vocabulary, terms.presence[rest]))
            numbers.append(len(chosen))
        return stability(parts), float(np.mean(held)), numbers

    by_sample, held_out, numbers = on_subsamples(k)
    row |= {
        "npmi": npmi(words, terms.vocabulary, terms.presence),
        "npmi held out": held_out,
        "diversity": diversity(words),
        "nmi desk": float(normalized_mutual_info_score(labels_known, labels)),
        "stab. seeds": stability(seeds),
        "stab. subs.": by_sample,
        "k of subs.": ",".join(map(str, numbers)),
        "same bits": None if again is None else bool(np.array_equal(labels, again[0]) and words == again[1]),
    }
    if method == "ours" and k is None:
        row["subs., k kept"] = on_subsamples(len(words))[0]
    return row


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


def run_table(options: argparse.Namespace, methods: Sequence[str], size: int | None, repeats: int) -> None:
    """Print one table: a row per method, each measured in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        n = prepare(options.news, Path(scratch), size)
        print(
            f"\n{n:,} articles" + (f"; stability over {repeats} seeds and {repeats} subsamples of 80 %" * bool(repeats))
        )
        chosen, columns = options.topics, []
        for method in methods:
            python = options.turftopic if method == "s3" else sys.executable
            k = options.topics if method == "ours" else chosen
            command = [python, __file__, scratch, "--worker", method, "--repeats", str(repeats)]
            command += ["--topics", str(k)] if k is not None and method != "bertopic" else []
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{method}: failed: {' '.join(done.stderr.strip().splitlines()[-1:])}", flush=True)
                continue
            row = json.loads(done.stdout[done.stdout.index("{") :])
            if method == "ours":
                chosen = row["topics"]
            if not columns:
                columns = list(row)
                print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
            cells = [f"{v:.3f}" if isinstance(v, float) else "" if v is None else str(v) for v in map(row.get, columns)]
            print("| " + " | ".join(cells) + " |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("news", type=Path, help="folder or file of articles, JSONL.gz with text and label")
    parser.add_argument("--repeats", type=int, default=5, help="fits over seeds, and over subsamples")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--topics", type=int, default=None, help="number of topics (ours: chosen)")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[50_000], help="resampled articles for a table of times"
    )
    parser.add_argument("--turftopic", default=sys.executable, help="Python of the environment with turftopic")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        sys.stdout.write(json.dumps(measure(options.worker, options.news, options.repeats, options.topics)))
        return
    run_table(options, options.methods, None, options.repeats)
    for size in options.sizes:
        run_table(options, [m for m in options.methods if m in AT_SCALE], size, 0)


if __name__ == "__main__":
    main()
