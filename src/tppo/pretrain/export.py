"""Write an encoder as a folder that sentence-transformers and `tppo.embedding.StaticEncoder` both read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tppo.embedding import FloatMatrix
from tppo.errors import UsageError
from tppo.pretrain.matrices import quantise

__all__ = ["check_out", "export"]

_MODULES = "sentence_transformers.sentence_transformer.modules."


def check_out(folder: Path) -> None:
    """Refuse a folder that holds something other than an earlier encoder.

    Raises
    ------
    UsageError
        Naming the folder.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / "training.json").exists())):
        raise UsageError(f"--out must be a new folder, an empty one or an earlier encoder's, got {folder}")


def export(tokenizer: Any, matrix: FloatMatrix, card: Mapping[str, Any], out: Path) -> FloatMatrix:
    """Write tokenizer, int8 rows with a scale each, and the training card; the same bytes for the same input.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Its vocabulary orders the rows.
    matrix : ndarray of shape (n_tokens, dimension), float32
        One row per token.
    card : mapping
        Written as ``training.json``.
    out : Path
        Made when missing.

    Returns
    -------
    ndarray of shape (n_tokens, dimension), float32
        The matrix as stored, rounding included.
    """
    from safetensors.numpy import save_file

    check_out(out)
    (out / "1_Normalize").mkdir(parents=True, exist_ok=True)
    embeddings, weights = quantise(matrix)
    save_file({"embeddings": embeddings, "weights": weights}, out / "model.safetensors")
    (out / "model.safetensors").chmod(0o644)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    (out / "tokenizer.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": _MODULES + "StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": _MODULES + "Normalize"},
    ]
    settings = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine", "prompts": {}}
    for name, content in (
        ("modules.json", modules),
        ("config_sentence_transformers.json", settings),
        ("training.json", card),
    ):
        (out / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return embeddings.astype(np.float32) * weights[:, None]
