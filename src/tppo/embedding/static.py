"""The static sentence encoder: the mean of its tokens' rows, without torch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import as_file, files
from itertools import chain
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from tppo.embedding.base import FloatMatrix, IntVector
from tppo.embedding.memo import WordMemo
from tppo.errors import ModelError

__all__ = ["StaticEncoder", "shipped_folder"]

_FILES = ("model.safetensors", "tokenizer.json", "modules.json", "config_sentence_transformers.json")
_BATCH = 16  # the gathered rows of so many articles stay in the processor's cache


def shipped_folder() -> Path:
    """Return the folder of the Indonesian encoder that comes with the package."""
    with as_file(files("tppo.embedding") / "static_id") as folder:
        return folder


class StaticEncoder:
    """Mean of token vectors, scaled to unit length (sentence-transformers' ``StaticEmbedding`` + ``Normalize``).

    Reads the folder that sentence-transformers reads and gives the same vectors to 1e-5 (tested), without importing
    torch: loading takes a fraction of a second and encoding costs little more than tokenising.

    Parameters
    ----------
    folder : Path or None
        A folder with ``tokenizer.json`` and ``model.safetensors`` (``embeddings`` of shape (n_tokens, dimension), and
        ``weights`` of shape (n_tokens,) if the rows are scaled); None takes the shipped one.

    Raises
    ------
    ModelError
        If the folder does not hold a static encoder.
    """

    max_tokens: int | None = None

    def __init__(self, folder: Path | None = None) -> None:
        from tokenizers import Tokenizer

        self.folder = shipped_folder() if folder is None else Path(folder)
        # Several processes label side by side; threads inside each would only compete.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            stored = load_file(self.folder / "model.safetensors")
            self._tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as error:  # safetensors and tokenizers raise types of their own
            raise ModelError(f"{self.folder} holds no static encoder: {error}") from None
        rows = stored.get("embeddings", stored.get("embedding.weight"))
        if rows is None or rows.ndim != 2 or len(rows) < self._tokenizer.get_vocab_size():
            raise ModelError(f"{self.folder}: expected one row of 'embeddings' per token, got {sorted(stored)}")
        self._rows: FloatMatrix = rows.astype(np.float32)
        if "weights" in stored:
            self._rows *= stored["weights"].astype(np.float32)[:, None]
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._memo = WordMemo(self._tokenizer) if WordMemo.fits(self._tokenizer) else None

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self._rows.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Digest of tokenizer and weights."""
        digest = hashlib.sha256((self.folder / "tokenizer.json").read_bytes())
        digest.update((self.folder / "model.safetensors").read_bytes())
        return digest.hexdigest()[:16]

    def _ids(self, texts: Sequence[str]) -> tuple[IntVector, IntVector]:
        """Return the token ids of all texts in one array, and the number of them per text."""
        if self._memo is not None:
            ids = [self._memo.ids(text) for text in texts]
        else:
            ids = [e.ids for e in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(lengths.sum()))
        return flat, lengths

    def count_tokens(self, texts: Sequence[str]) -> IntVector:
        """Return the number of tokens of each text; shape (n_texts,)."""
        return self._ids(texts)[1] if len(texts) else np.zeros(0, dtype=np.int64)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit-length vectors of shape (n_texts, dimension), float32; all zero for a text without tokens."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for first in range(0, len(texts), _BATCH):
            ids, lengths = self._ids(texts[first : first + _BATCH])
            filled = np.flatnonzero(lengths)
            if len(filled):
                starts = np.concatenate([[0], np.cumsum(lengths[filled])[:-1]])
                vectors[first + filled] = np.add.reduceat(self._rows[ids], starts, axis=0)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Copy the encoder's files, or only name the shipped encoder by its fingerprint."""
        shipped = self.folder == shipped_folder()
        state = {"shipped": shipped, "fingerprint": self.fingerprint}
        (folder / "static.json").write_text(json.dumps(state), encoding="utf-8")
        if not shipped:
            for name in _FILES:
                if (self.folder / name).is_file():
                    shutil.copy(self.folder / name, folder / name)

    @classmethod
    def load(cls, folder: Path) -> StaticEncoder:
        """Read what `save` wrote, and check that it is the encoder that was saved."""
        state = json.loads((folder / "static.json").read_text(encoding="utf-8"))
        encoder = cls(None if state["shipped"] else folder)
        if encoder.fingerprint != state["fingerprint"]:
            raise ModelError(
                f"the model was trained with static encoder {state['fingerprint']}, this version of tppo ships "
                f"{encoder.fingerprint}: train again, or install the version it was trained with"
            )
        return encoder
