"""What topics are made of: settings, the description of a topic, word counts, article vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tppo.embedding import FloatMatrix, Windows
from tppo.errors import UsageError
from tppo.topics.words import content_words

__all__ = ["OUTLIER", "TermTable", "Topic", "TopicSettings", "article_vectors", "count_terms"]

OUTLIER = -1


@dataclass(frozen=True)
class TopicSettings:
    """How topics are made.

    Parameters
    ----------
    n_topics : int or None
        Number of clusters; None chooses by stability.
    n_components : int
        Principal directions kept.
    n_runs : int
        k-means runs in the consensus.
    target_stability : float
        Adjusted Rand index between 80 % subsamples that the choice of the number asks for.
    outliers : float
        Share of training articles, those farthest from every topic, that get none; new articles as far get none either.
    n_words : int
        Words shown per topic.
    min_df : int
        Articles a word must occur in.
    seeding : {"none", "zero-shot", "guided"}
        What seeds do: nothing, take the articles near them before the rest is clustered, or draw such articles nearer.
    seed_similarity : float
        Cosine to a seed from which an article counts as near it.
    max_sample : int
        Most articles the consensus is made on; the others are assigned.
    seed : int
        Same seed and articles, same topics.
    """

    n_topics: int | None = None
    n_components: int = 30
    n_runs: int = 100
    target_stability: float = 0.76
    outliers: float = 0.02
    n_words: int = 10
    min_df: int = 3
    seeding: str = "none"
    seed_similarity: float = 0.55
    max_sample: int = 20_000
    seed: int = 0


@dataclass(frozen=True)
class Topic:
    """One topic.

    Parameters
    ----------
    id : int
        Stable: kept when articles are added, topics merged, or a later fit continues this one.
    name : str
        Of the seed, else the first words.
    words : tuple of str
        Strongest first.
    size : int
        Articles taken in.
    representatives : tuple of str
        Ids of the articles nearest to it.
    seed : str or None
        Name of the seed it grew from.
    certificate : float or None
        How well it comes back, in [0, 1]; see `tppo.topics.certify`.
    hidden : bool
        Its articles are given no topic; see `tppo.topics.hide_unstable`.
    """

    id: int
    name: str
    words: tuple[str, ...]
    size: int
    representatives: tuple[str, ...] = ()
    seed: str | None = None
    certificate: float | None = None
    hidden: bool = False


@dataclass(frozen=True)
class TermTable:
    """Words of articles: `counts` sparse of shape (n_articles, n_words), int64; `vocabulary` names its columns."""

    vocabulary: tuple[str, ...]
    counts: sp.csr_matrix

    @property
    def presence(self) -> sp.csc_matrix:
        """1 where an article holds a word; sparse of shape (n_articles, n_words)."""
        return (self.counts > 0).astype(np.float64).tocsc()


def count_terms(texts: Sequence[str], *, min_df: int, vocabulary: Sequence[str] | None = None) -> TermTable:
    """Count content words; without a vocabulary, those that occur in `min_df` articles (fewer in tiny corpora)."""
    from sklearn.feature_extraction.text import CountVectorizer

    if (
        vocabulary is None
        and not any(content_words(text) for text in texts[:1000])
        and not any(map(content_words, texts))
    ):
        return TermTable((), sp.csr_matrix((len(texts), 0), dtype=np.int64))
    if vocabulary is not None and not len(vocabulary):
        return TermTable((), sp.csr_matrix((len(texts), 0), dtype=np.int64))
    smallest = min(min_df, max(1, len(texts) // 50))
    counter = CountVectorizer(analyzer=content_words, min_df=smallest, vocabulary=vocabulary)
    counts = counter.transform(texts) if vocabulary is not None else counter.fit_transform(texts)
    return TermTable(tuple(counter.get_feature_names_out()), counts.tocsr())


def article_vectors(windows: Windows) -> FloatMatrix:
    """Return the mean of each article's window vectors, of shape (n_articles, dimension), float32."""
    if windows.vectors is None:
        raise UsageError("topics need window vectors, got windows that were not encoded")
    n = windows.n_articles
    member = sp.csr_matrix(
        (np.ones(len(windows.article), np.float32), (windows.article, np.arange(len(windows.article))))
    )
    total = np.asarray(member @ windows.vectors)
    count = np.maximum(np.bincount(windows.article, minlength=n), 1)[:, None]
    return np.asarray(total / count, dtype=np.float32)
