"""How an article becomes labels: clean, cut into windows, encode, score, decide, quote the evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError

from tppo.classify.contrast import TunedVectors
from tppo.classify.domain import Domain
from tppo.classify.features import FeatureBlocks, Features, encode_windows, feature_blocks, static_part
from tppo.classify.reference import Reference
from tppo.classify.scorer import REVIEW, YES, FloatArray, Scorer
from tppo.corpus.cleaning import Cleaner, CleaningRules, CleanText
from tppo.embedding import (
    Encoder,
    IntVector,
    SubwordTerms,
    SubwordTokenizer,
    Windows,
    cut_windows,
    load_encoder,
    save_encoder,
)
from tppo.errors import ModelError
from tppo.taxonomy import Taxonomy

__all__ = ["Evidence", "ModelSettings", "ModusModel", "Readings", "folder_digest"]

FORMAT = 3


class ModelSettings(BaseModel):
    """Everything a trained model needs to know besides its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    taxonomy: Taxonomy
    cleaning: CleaningRules
    features: Features
    max_sentences: int = Field(default=1, ge=1)
    overlap: int = Field(default=0, ge=0)
    max_windows: int = Field(default=512, ge=1)
    max_evidence: int = Field(default=3, ge=1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the original text that carries a label: ``text == original[start:end]``; score in [0, 1]."""

    label: str
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True)
class Readings:
    """What a model says about a batch of articles.

    Parameters
    ----------
    keys : tuple of str
        The labels, modus first and the context label last; the columns of the arrays.
    probabilities : ndarray of shape (n_articles, n_labels), in [0, 1]
        Calibrated probabilities.
    decisions : ndarray of shape (n_articles, n_labels), int8
        `NO`, `REVIEW` or `YES`.
    evidence : list of list of Evidence
        Per article, for each label given, in the order of the text.
    n_tokens, n_dropped : ndarray of shape (n_articles,), int64
        Tokens read and tokens beyond the limits.
    reasons : list of str or None
        Per article why no label is given outright, see `tppo.classify.domain`; None for a text of the usual kind.
    """

    keys: tuple[str, ...]
    probabilities: FloatArray
    decisions: NDArray[np.int8]
    evidence: list[list[Evidence]]
    n_tokens: IntVector
    n_dropped: IntVector
    reasons: list[str | None]


class ModusModel:
    """A trained model: reads texts, returns labels with evidence.

    Parameters
    ----------
    settings : ModelSettings
        Taxonomy, cleaning rules, windows and features.
    encoder : Encoder
        Of the embedding stage.
    terms : SubwordTerms or None
        Needed if the features hold terms.
    scorer : Scorer or None
        The learnt weights; None before training, when only `prepare` and `features` can be used.
    domain : Domain or None
        What the training articles were written in; with None every text counts as of that kind.
    reference : Reference or None
        What the model says of training articles, for drift reports.
    tuned : TunedVectors or None
        Needed if the features hold vectors tuned on the labels.
    """

    def __init__(
        self,
        settings: ModelSettings,
        encoder: Encoder,
        terms: SubwordTerms | None,
        scorer: Scorer | None,
        domain: Domain | None = None,
        reference: Reference | None = None,
        tuned: TunedVectors | None = None,
    ) -> None:
        self.settings = settings
        self.encoder = encoder
        self.terms = terms
        self.scorer = scorer
        self.domain = domain
        self.reference = reference
        self.tuned = tuned
        self._cleaner = Cleaner(settings.cleaning)

    @cached_property
    def _tokenizer(self) -> SubwordTokenizer:
        return static_part(self.encoder).tokenizer

    @property
    def keys(self) -> tuple[str, ...]:
        """The labels: modus first, the context label last."""
        return self.settings.taxonomy.label_keys

    def clean(self, texts: Sequence[str]) -> list[CleanText]:
        """Take the boilerplate out of texts."""
        return [self._cleaner.clean(text) for text in texts]

    def cut(self, clean: Sequence[CleanText]) -> Windows:
        """Cut clean texts into windows, without vectors, but with tokens if the features use them."""
        s = self.settings
        texts = [c.text for c in clean]
        windows = cut_windows(
            texts, self.encoder, max_sentences=s.max_sentences, overlap=s.overlap, max_windows=s.max_windows
        )
        if windows.tokens is None and (s.features.terms or s.features.tuned):
            windows = replace(windows, tokens=self._tokenizer.tokenize(windows.texts))
        return windows

    def encode(self, windows: Windows) -> Windows:
        """Give windows their vectors, if the features use them."""
        return encode_windows(self.encoder, windows) if self.settings.features.vectors else windows

    def features(self, windows: Windows) -> FeatureBlocks:
        """Return what the classifier sees of windows with vectors, and of their articles."""
        return feature_blocks(self.settings.features, windows, self.terms, self.tuned)

    def read(self, texts: Sequence[str], *, clean: Sequence[CleanText] | None = None) -> Readings:
        """Label texts.

        Parameters
        ----------
        texts : sequence of str
            Articles as scraped; an empty one is read as having nothing to say.
        clean : sequence of CleanText, optional
            The same texts as `clean` returns them, if the caller has them already.

        Returns
        -------
        Readings
            One row per text, in order.
        """
        scorer = self._trained()
        if not texts:
            empty = np.zeros((0, len(self.keys)))
            none = np.zeros(0, dtype=np.int64)
            return Readings(self.keys, empty, empty.astype(np.int8), [], none, none, [])
        clean = self.clean(texts) if clean is None else clean
        windows = self.encode(self.cut(clean))
        blocks = self.features(windows)
        logits = scorer.window_logits(*blocks.windows)
        if self.settings.features.level == "article":
            whole = scorer.window_logits(*blocks.articles)
            probabilities = scorer.probabilities(whole, np.arange(len(texts), dtype=np.int64))
        else:
            probabilities = scorer.probabilities(logits, windows.article, *blocks.articles)
        decisions = scorer.decide(probabilities)
        reasons = [None if self.domain is None else self.domain.reason(c.text) for c in clean]
        outside = np.array([reason is not None for reason in reasons])
        decisions[outside] = np.minimum(decisions[outside], REVIEW)
        evidence = self._quote(texts, clean, windows, logits, decisions)
        return Readings(self.keys, probabilities, decisions, evidence, windows.n_tokens, windows.n_dropped, reasons)

    def _quote(
        self,
        texts: Sequence[str],
        clean: Sequence[CleanText],
        windows: Windows,
        logits: FloatArray,
        decisions: NDArray[np.int8],
    ) -> list[list[Evidence]]:
        """Quote, for each label given, the window that carries it most and others that would suffice alone."""
        scorer = self._trained()
        scores = scorer.window_probabilities(logits)
        first = np.searchsorted(windows.article, np.arange(windows.n_articles + 1))
        quoted: list[list[Evidence]] = [[] for _ in texts]
        for article, k in zip(*np.nonzero(decisions == YES)):
            rows = np.arange(first[article], first[article + 1])
            ranked = rows[np.argsort(-scores[rows, k], kind="stable")][: self.settings.max_evidence]
            best = [row for n, row in enumerate(ranked) if n == 0 or scores[row, k] >= scorer.threshold[k]]
            for row in sorted(best):
                low, high = (int(x) for x in windows.spans[row])
                if low < high:
                    start, end = clean[article].to_original(low, high)
                    score = round(float(scores[row, k]), 4)
                    quoted[article].append(Evidence(self.keys[k], start, end, texts[article][start:end], score))
        return quoted

    def _trained(self) -> Scorer:
        if self.scorer is None:
            raise ModelError("this model has no weights yet: train it first")
        return self.scorer

    def save(self, folder: Path) -> str:
        """Write the model into a new folder, as JSON and safetensors only.

        Returns
        -------
        str
            SHA-256 over names and contents of all files, as `folder_digest` gives it.
        """
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(self.settings.model_dump_json(indent=1), encoding="utf-8")
        self._trained().save(folder / "scorer.safetensors")
        save_encoder(self.encoder, folder / "encoder")
        if self.terms is not None:
            (folder / "terms").mkdir()
            self.terms.save(folder / "terms")
        if self.tuned is not None:
            self.tuned.save(folder / "tuned.safetensors")
        if self.domain is not None:
            self.domain.save(folder / "domain.json")
        if self.reference is not None:
            self.reference.save(folder / "reference.json")
        return folder_digest(folder)

    @classmethod
    def load(cls, folder: Path, *, digest: str | None = None) -> ModusModel:
        """Read a model that `save` wrote.

        Parameters
        ----------
        folder : Path
            Where it lies.
        digest : str, optional
            The SHA-256 it must have.

        Raises
        ------
        ModelError
            If the folder is not such a model, is damaged, or has another digest.
        """
        if not (folder / "model.json").is_file():
            raise ModelError(f"{folder} is not a tppo model: it has no model.json")
        if digest is not None and (found := folder_digest(folder)) != digest:
            raise ModelError(f"{folder} was changed after training: expected SHA-256 {digest}, got {found}")
        try:
            settings = ModelSettings.model_validate_json((folder / "model.json").read_text(encoding="utf-8"))
        except (ValidationError, ValueError) as error:
            raise ModelError(f"{folder / 'model.json'} is damaged: {str(error).splitlines()[0]}") from None
        if settings.format != FORMAT:
            raise ModelError(f"{folder} has model format {settings.format}; this version of tppo reads format {FORMAT}")
        encoder = load_encoder(folder / "encoder")
        try:
            terms = (
                SubwordTerms.load(folder / "terms", static_part(encoder).tokenizer) if settings.features.terms else None
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ModelError(f"{folder / 'terms'}: damaged terms: {type(error).__name__}: {error}") from None
        scorer, domain = Scorer.load(folder / "scorer.safetensors"), Domain.load(folder / "domain.json")
        reference = Reference.load(folder / "reference.json")
        tuned = TunedVectors.load(folder / "tuned.safetensors") if settings.features.tuned else None
        model = cls(settings, encoder, terms, scorer, domain, reference, tuned)
        try:
            model.read([""])
        except ValueError as error:
            raise ModelError(f"{folder}: encoder, terms and weights do not fit together: {error}") from None
        return model


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over relative names and contents of all files in a folder.

    Raises
    ------
    ModelError
        If an entry is a link that leads out of the folder.
    """
    root = folder.resolve()
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if not path.resolve().is_relative_to(root):
            raise ModelError(f"{path} leads out of the model's folder")
        if not path.is_file():
            continue
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(json.dumps([path.relative_to(root).as_posix(), content]).encode())
    return digest.hexdigest()
