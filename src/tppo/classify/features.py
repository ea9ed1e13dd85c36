"""What the classifier sees of an article: each window, and the article as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tppo.classify.contrast import TunedVectors
from tppo.embedding import (
    CachedEncoder,
    Encoder,
    StaticEncoder,
    SubwordTerms,
    TokenEncoder,
    Windows,
)

__all__ = [
    "FeatureBlocks",
    "Features",
    "encode_windows",
    "feature_blocks",
    "static_part",
]


class Features(BaseModel):
    """What the classifier sees.

    Attributes
    ----------
    vectors : bool
        The encoder's vectors.
    terms : bool
        TF-IDF terms, see `tppo.embedding.SubwordTerms`.
    vector_weight : float
        Length of the encoder's vectors beside the unit-length term rows.
    level : {"window", "article"}
        ``article`` scores an article as one piece, and its windows only as evidence.
    whole : bool
        Score the article as a whole beside its windows; for level ``window``.
    tuned : bool
        Vectors of the windows by token vectors tuned on the labels, see `tppo.classify.contrast`; for level ``window``.
    tuned_weight : float
        Their length.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vectors: bool = True
    terms: bool = False
    vector_weight: float = Field(default=1.0, gt=0)
    level: str = Field(default="window", pattern="^(window|article)$")
    whole: bool = False
    tuned: bool = False
    tuned_weight: float = Field(default=0.5, gt=0)


@dataclass(frozen=True)
class FeatureBlocks:
    """Feature matrices as blocks that stand side by side.

    Parameters
    ----------
    windows : list of array or sparse matrix of shape (n_windows, ...), float32
        Of the windows.
    articles : list of array or sparse matrix of shape (n_articles, ...), float32
        The same features of the articles as a whole; empty if they are not used.
    """

    windows: list[Any]
    articles: list[Any]


def feature_blocks(
    features: Features, windows: Windows, terms: SubwordTerms | None, tuned: TunedVectors | None = None
) -> FeatureBlocks:
    """Return the features of windows and articles.

    Parameters
    ----------
    features : Features
        Which ones.
    windows : Windows
        With vectors and tokens, if the features use them.
    terms : SubwordTerms or None
        Learnt terms, if the features use them.
    tuned : TunedVectors, optional
        Tuned token vectors; the windows' vectors by them stand first. In training the classifier puts them there.
    """
    blocks = FeatureBlocks([], [])
    if tuned is not None:
        assert windows.tokens is not None
        blocks.windows.append(np.float32(features.tuned_weight) * tuned.encode_tokens(windows.tokens))
    whole = features.whole or features.level == "article"
    if windows.vectors is not None:
        weight = np.float32(features.vector_weight)
        blocks.windows.append(weight * windows.vectors)
        if whole:
            starts = np.flatnonzero(np.diff(windows.article, prepend=-1))
            total = np.add.reduceat(windows.vectors, starts, axis=0)
            length = np.linalg.norm(total, axis=1, keepdims=True)
            blocks.articles.append(weight * total / np.where(length > 0, length, 1))
    if terms is not None:
        assert windows.tokens is not None
        counts = terms.count(windows.tokens)
        blocks.windows.append(terms.weigh(counts))
        if whole:
            blocks.articles.append(terms.weigh(counts.summed(windows.article)))
    return blocks


def encode_windows(encoder: Encoder, windows: Windows) -> Windows:
    """Give windows their vectors, from their tokens if they hold them."""
    if windows.tokens is not None and isinstance(encoder, TokenEncoder):
        return windows.with_vectors(encoder.encode_tokens(windows.tokens))
    return windows.with_vectors(encoder.encode(windows.texts))


def static_part(encoder: Encoder) -> StaticEncoder:
    """Return the encoder that gives terms and tuned vectors their tokens: itself if static, else the shipped one."""
    if isinstance(encoder, CachedEncoder):
        encoder = encoder.encoder
    return encoder if isinstance(encoder, StaticEncoder) else StaticEncoder()
