"""Save and load encoders by a short kind name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from tppo.embedding.base import Encoder
from tppo.embedding.cache import CachedEncoder
from tppo.embedding.lexical import TfidfSvdEncoder
from tppo.embedding.static import StaticEncoder
from tppo.embedding.transformer import SentenceTransformerEncoder
from tppo.errors import ModelError, nearest

__all__ = ["load_encoder", "save_encoder"]

_LOADERS: dict[str, Callable[[Path], Encoder]] = {
    "static": StaticEncoder.load,
    "tfidf-svd": TfidfSvdEncoder.load,
    "sentence-transformers": SentenceTransformerEncoder.load,
}
_KINDS: dict[type, str] = {
    StaticEncoder: "static",
    TfidfSvdEncoder: "tfidf-svd",
    SentenceTransformerEncoder: "sentence-transformers",
}


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write an encoder into a new folder."""
    if isinstance(encoder, CachedEncoder):
        encoder = encoder.encoder
    kind = _KINDS.get(type(encoder))
    if kind is None:
        raise ModelError(f"cannot save an encoder of type {type(encoder).__name__}; known kinds: {', '.join(_LOADERS)}")
    folder.mkdir(parents=True)
    (folder / "encoder.json").write_text(json.dumps({"kind": kind}), encoding="utf-8")
    encoder.save(folder)


def load_encoder(folder: Path) -> Encoder:
    """Read an encoder that `save_encoder` wrote.

    Raises
    ------
    ModelError
        If the folder does not hold an encoder of a known kind.
    """
    try:
        kind = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder} holds no encoder: {error}") from None
    if not isinstance(kind, str) or kind not in _LOADERS:
        raise ModelError(f"{folder}: unknown kind of encoder {kind!r}{nearest(str(kind), _LOADERS)}")
    try:
        return _LOADERS[kind](folder)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"{folder}: damaged {kind} encoder: {type(error).__name__}: {error}") from None
