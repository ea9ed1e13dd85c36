"""Made-up pairs and a made-up teacher, for encoders that are trained in seconds."""

import gzip
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

WHO = {"polisi": "police", "perekrut": "recruiter", "korban": "victim", "makelar": "broker", "petugas": "officer"}
DID = {"menangkap": "arrested", "menjual": "sold", "mencari": "sought", "memulangkan": "returned"}
WHAT = {"paspor": "passport", "ginjal": "kidney", "pekerja": "worker", "rumah": "house", "kapal": "ship"}


def phrases() -> list[tuple[str, str]]:
    return [
        (f"{a} {b} {c} itu.", f"{x} {y} that {z}.")
        for a, x in WHO.items()
        for b, y in DID.items()
        for c, z in WHAT.items()
    ]


def write(path: Path, rows: Sequence[dict]) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.fixture
def pair_folder(tmp_path: Path) -> Path:
    """Labelled, parallel and scored pairs of 100 made-up sentences."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    made = phrases()
    rng = random.Random(0)
    own = [a for a, _ in made]
    labelled = [{"a": a, "b": " ".join(reversed(a.strip(".").split())), "label": 1} for a in own]
    labelled += [{"a": a, "b": rng.choice(own), "label": "contradiction"} for a in own[::3]]
    write(folder / "tiny.jsonl", labelled)
    write(folder / "en-id-tiny.jsonl.gz", [{"a": a, "b": b} for a, b in made])
    scored = [("Polisi mencari paspor.", "Petugas mencari paspor.", 4), ("Korban menjual kapal.", "Rumah itu.", 0.5)]
    scored += [("Makelar menjual ginjal.", "Ginjal dijual makelar.", 4.5), ("Kapal itu.", "Perekrut itu.", 1)]
    write(folder / "stsb-tiny.jsonl", [{"a": a, "b": b, "label": s} for a, b, s in scored])
    return folder


@pytest.fixture
def teacher() -> Callable[[Sequence[str], int], np.ndarray]:
    """The sum of a random vector per English word, which a digest of the word gives."""

    def word(text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        return np.random.RandomState(seed).randn(24)

    def teach(texts: Sequence[str], max_tokens: int) -> np.ndarray:
        rows = [sum((word(w) for w in t.strip(".").split()[:max_tokens]), np.full(24, 1e-3)) for t in texts]
        return np.array([r / np.linalg.norm(r) for r in rows], dtype=np.float32)

    return teach
