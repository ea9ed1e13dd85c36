"""The tokenizer of a static encoder: ids for its vectors and for the classifier's terms alike."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from tppo.embedding.base import Tokens
from tppo.embedding.memo import WordMemo
from tppo.errors import ModelError

__all__ = ["SubwordTokenizer"]


class SubwordTokenizer:
    """A tokenizer file of the `tokenizers` library, read without torch.

    Parameters
    ----------
    path : Path
        ``tokenizer.json``.

    Raises
    ------
    ModelError
        If the file is not one.
    """

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        # Several processes label side by side; threads inside each would only compete.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.path = path
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises a type of its own
            raise ModelError(f"{path} is not a tokenizer: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._memo = WordMemo(self._tokenizer) if WordMemo.fits(self._tokenizer) else None

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the file, 16 hex digits."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    @property
    def n_tokens(self) -> int:
        """Size of the vocabulary."""
        return int(self._tokenizer.get_vocab_size())

    def vocabulary(self) -> list[str]:
        """Return the tokens in the order of their ids; continuations of a word begin with ``##``."""
        found: dict[str, int] = self._tokenizer.get_vocab()
        tokens = [""] * (max(found.values(), default=-1) + 1)
        for token, number in found.items():
            tokens[number] = token
        return tokens

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Return the token ids of texts, without special tokens."""
        if self._memo is not None:
            ids = [self._memo.ids(text) for text in texts]
        else:
            ids = [e.ids for e in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        flat = np.fromiter(chain.from_iterable(ids), dtype=np.int64, count=int(lengths.sum()))
        return Tokens(flat, lengths)
