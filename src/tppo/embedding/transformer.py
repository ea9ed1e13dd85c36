"""Any sentence-transformers model, from a local folder or the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tppo.embedding.base import FloatMatrix, IntVector
from tppo.errors import ModelError

__all__ = ["SentenceTransformerEncoder"]

_UNSAFE = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".py")
_EXPORTED = (".onnx", ".xml", ".bin", ".safetensors")


class SentenceTransformerEncoder:
    """An encoder from the sentence-transformers library.

    Weights are read from safetensors only, and no code that comes with a model is run.

    Parameters
    ----------
    model : str
        Folder of a saved model, or a hub name.
    revision : str or None
        Commit of a hub model; pins what is downloaded.
    prompt : str
        Put before every text, as some models expect ("query: " for E5).
    max_tokens : int or None
        Longest text in tokens; None takes the model's own limit.
    batch_size : int
        Texts encoded at once.
    backend : {"torch", "onnx", "openvino"}
        What runs the model.
    device : str
        Where the torch backend runs.
    weights : str or None
        File in the model's folder that the onnx or openvino backend runs, such as an int8 one; None lets it choose.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        prompt: str = "",
        max_tokens: int | None = None,
        batch_size: int = 32,
        backend: str = "torch",
        device: str = "cpu",
        weights: str | None = None,
    ) -> None:
        self.model = model
        self.revision = revision
        self.prompt = prompt
        self.batch_size = batch_size
        self.backend = backend
        self.device = device
        self.weights = weights
        self._max_tokens = max_tokens

    @cached_property
    def _st(self) -> Any:
        """Load the model, its errors in one line."""
        folder = Path(self.model)
        if folder.is_dir():
            _check_folder(folder)
        elif folder.is_absolute() or self.model.startswith("."):
            raise ModelError(f"no such folder of a sentence-transformers model: {self.model}")
        from sentence_transformers import SentenceTransformer

        options: dict[str, Any] = {"use_safetensors": True} if self.backend == "torch" else {}
        if self.weights is not None and self.backend != "torch":
            options["file_name"] = self.weights
        try:
            st = SentenceTransformer(
                self.model,
                revision=self.revision,
                device=self.device,
                backend=self.backend,
                trust_remote_code=False,
                model_kwargs=options,
            )
        except ImportError as error:
            raise ModelError(f"backend {self.backend!r} of {self.model} needs another package: {error}") from None
        except Exception as error:  # the hub client, transformers and json each raise their own
            where = "" if folder.is_dir() else " (a hub model must be downloaded once, with a connection)"
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"cannot load sentence-transformers model {self.model!r}{where}: {first}") from None
        if self._max_tokens is not None:
            positions = getattr(
                getattr(getattr(st[0], "auto_model", None), "config", None), "max_position_embeddings", None
            )
            if positions is not None and self._max_tokens > positions:
                raise ModelError(
                    f"max_tokens must be at most {positions}, what {self.model} reads, got {self._max_tokens}"
                )
            st.max_seq_length = self._max_tokens
        return st

    @property
    def max_tokens(self) -> int | None:
        """The model's limit less its special tokens and the prompt; None for a model without one."""
        limit = getattr(self._st, "max_seq_length", None)
        if limit is None or limit == float("inf") or limit > 1_000_000:
            return None
        reserved = len(self._st.tokenizer(self.prompt)["input_ids"]) if callable(self._st.tokenizer) else 0
        return max(1, int(limit) - reserved)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of the weights, the configuration files, the prompt, the length and the backend."""
        digest = hashlib.sha256(repr((self.prompt, self._max_tokens, self.backend)).encode())
        state = self._st.state_dict()
        for name, tensor in sorted(state.items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        if not state:  # the other backends keep their weights to themselves: take the files, or the pinned name
            digest.update(
                repr((self.weights, None if Path(self.model).is_dir() else (self.model, self.revision))).encode()
            )
            for path in sorted(p for p in Path(self.model).rglob("*") if p.suffix in _EXPORTED):
                digest.update(path.name.encode() + path.read_bytes())
        parts = [(type(m).__name__, m.get_config_dict() if hasattr(m, "get_config_dict") else {}) for m in self._st]
        tokens = _tokenizer_state(self._st.tokenizer)
        digest.update(json.dumps([parts, self._st.max_seq_length, tokens], sort_keys=True, default=str).encode())
        return digest.hexdigest()[:16]

    def count_tokens(self, texts: Sequence[str]) -> IntVector:
        """Return the number of tokens of each text without special tokens; shape (n_texts,)."""
        tokenizer = self._st.tokenizer
        if not len(texts):
            return np.zeros(0, dtype=np.int64)
        if callable(tokenizer):
            batch = tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
            return np.array([len(ids) for ids in batch], dtype=np.int64)
        encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return np.array([len(encoding.ids) for encoding in encodings], dtype=np.int64)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit-length vectors of shape (n_texts, dimension), float32."""
        if not len(texts):
            return self.encode([""])[:0]
        vectors = self._st.encode(
            list(texts),
            prompt=self.prompt,
            batch_size=self.batch_size,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the settings and, for a local folder, the model itself; a hub model is kept by name and revision."""
        settings = {
            "model": self.model,
            "revision": self.revision,
            "prompt": self.prompt,
            "max_tokens": self._max_tokens,
            "batch_size": self.batch_size,
            "backend": self.backend,
            "weights": self.weights,
            "fingerprint": self.fingerprint,
        }
        if Path(self.model).is_dir():
            settings["model"] = "model"
            shutil.copytree(self.model, folder / "model", ignore=_unsafe)
        (folder / "sentence_transformer.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> SentenceTransformerEncoder:
        """Read what `save` wrote and check that the model is the one that was saved."""
        settings = json.loads((folder / "sentence_transformer.json").read_text(encoding="utf-8"))
        expected = settings.pop("fingerprint")
        for name in (settings["model"], settings.get("weights") or ""):
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise ModelError(f"{folder}: {name!r} leads out of the model's folder")
        if (folder / settings["model"]).is_dir():
            settings["model"] = str(folder / settings["model"])
        encoder = cls(**settings)
        if encoder.fingerprint != expected:
            raise ModelError(
                f"{settings['model']} is not the model this was trained with: expected fingerprint {expected}, "
                f"got {encoder.fingerprint}"
            )
        return encoder


def _tokenizer_state(tokenizer: Any) -> Any:
    """Return what decides the tokens as plain data, without the padding and truncation that each call sets anew."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        return tokenizer.get_vocab()
    return {key: value for key, value in json.loads(backend.to_str()).items() if key not in ("padding", "truncation")}


def _unsafe(folder: str, names: list[str]) -> set[str]:
    """Return the files not to copy: pickles and code, but not OpenVINO's weights, a .bin beside its .xml."""
    openvino = {Path(name).with_suffix(".bin").name for name in names if name.endswith(".xml")}
    return {name for name in names if name.endswith(_UNSAFE) and name not in openvino}


def _check_folder(folder: Path) -> None:
    """Refuse a folder without a model, with pickled weights, or whose model runs code of its own."""
    if not (folder / "modules.json").is_file():
        raise ModelError(f"{folder} is not a sentence-transformers model: no modules.json")
    if not any(folder.rglob("*.safetensors")) and not any(folder.rglob("*.onnx")) and not any(folder.rglob("*.xml")):
        raise ModelError(f"{folder} holds no safetensors weights (pickled weights are not loaded)")
    pickled = [p for p in folder.rglob("pytorch_model*.bin") if not any(p.parent.glob("*.safetensors"))]
    if pickled:
        raise ModelError(f"{pickled[0]} is pickled, and pickled weights are not loaded: convert it to safetensors")
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        foreign = [m["type"] for m in modules if not m["type"].startswith("sentence_transformers.")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'modules.json'} is damaged: {error}") from None
    if foreign:
        raise ModelError(f"{folder} asks for code outside sentence-transformers, which is not run: {foreign[0]}")
