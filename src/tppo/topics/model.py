"""A topic model: BERTopic's procedure (vectors, reduction, clusters, class-based TF-IDF), exactly repeatable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.embedding import FloatMatrix, IntVector, Windows
from tppo.errors import DataError, UsageError
from tppo.topics.base import OUTLIER, TermTable, Topic, TopicSettings, count_terms
from tppo.topics.consensus import Reduction, choose_k, fit_centroids, unit_rows
from tppo.topics.words import topic_name, topic_words

__all__ = ["TopicModel"]

_NEW_TOPIC = 0.5  # cosine to their common centre from which outliers lie together
_TYPICAL = 5


@dataclass
class TopicModel:
    """Topics with all that is needed to assign further articles. Made by `fit`; see `tppo.topics.store` for files.

    `counts` of shape (n_topics, n_words), int64, says how many articles of each topic hold each word.
    """

    settings: TopicSettings
    fingerprint: str
    reduction: Reduction
    centroids: FloatMatrix
    min_similarity: float
    vocabulary: tuple[str, ...]
    counts: NDArray[np.int64]
    topics: list[Topic]
    tried: dict[int, float] = field(default_factory=dict)
    lineage: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def fit(
        cls,
        vectors: FloatMatrix,
        texts: Sequence[str],
        ids: Sequence[str],
        *,
        settings: TopicSettings | None = None,
        seeds: Mapping[str, FloatMatrix] | None = None,
        fingerprint: str = "",
        terms: TermTable | None = None,
        windows: Windows | None = None,
    ) -> TopicModel:
        """Find topics.

        Parameters
        ----------
        vectors : ndarray of shape (n_articles, dimension), float32
            Of the embedding stage.
        texts, ids : sequence of str, length n_articles
            Clean texts and identifiers.
        settings : TopicSettings, optional
            Defaults if not given.
        seeds : mapping of str to ndarray of shape (n_prototypes, dimension), optional
            Vectors of example sentences of expected topics, used as ``settings.seeding`` says.
        fingerprint : str
            Of the encoder; checked when a saved model is given vectors.
        terms : TermTable, optional
            Word counts of `texts`, if they are at hand.
        windows : Windows, optional
            Of the same articles, with vectors. An article is near a seed if one of its windows is; without windows,
            its own vector must be.

        Raises
        ------
        DataError
            If there are fewer than two articles, or more topics are asked for than articles could carry.
        """
        s = settings or TopicSettings()
        _check(vectors, texts, ids, s)
        reduction = Reduction.fit(vectors, min(s.n_components, vectors.shape[1]))
        points = reduction.apply(vectors)
        centroids, given, tried = _clusters(s, points, *_seed(s, reduction, vectors, seeds or {}, windows))
        floor = _floor((points @ centroids.T).max(axis=1)[vectors.any(axis=1)], s.outliers)
        terms = terms or count_terms(texts, min_df=s.min_df)
        topics = [Topic(i, "", (), 0, seed=given[i]) for i in range(len(centroids))]
        empty = np.zeros((len(centroids), len(terms.vocabulary)), dtype=np.int64)
        model = cls(s, fingerprint, reduction, centroids, floor, terms.vocabulary, empty, topics, tried)
        model._absorb(vectors, model.assign(vectors), terms, ids)
        return model

    def similarities(self, vectors: FloatMatrix) -> FloatMatrix:
        """Return cosines to each topic in the reduced space, of shape (n_articles, n_topics), in [-1, 1]."""
        self._check_width(vectors)
        return np.asarray(self.reduction.apply(vectors) @ self.centroids.T, dtype=np.float32)

    def assign(self, vectors: FloatMatrix) -> IntVector:
        """Return the topic id of each article, -1 for one near no shown topic or without text; shape (n_articles,)."""
        self._check_width(vectors)
        return self.assign_points(self.reduction.apply(vectors))

    def assign_points(self, points: FloatMatrix) -> IntVector:
        """Return topic ids of points that the model's reduction gave, as `assign`; an all-zero point has none."""
        if not len(points):
            return np.zeros(0, dtype=np.int64)
        similarity = np.asarray(points @ self.centroids.T, dtype=np.float32)
        column = similarity.argmax(axis=1)
        shown = [OUTLIER if t.hidden else t.id for t in self.topics]
        labels: IntVector = np.array(shown, dtype=np.int64)[column]
        far = similarity[np.arange(len(column)), column] < np.float32(self.min_similarity)
        labels[far | ~points.any(axis=1)] = OUTLIER
        return labels

    def distribution(self, windows: Windows) -> FloatMatrix:
        """Return the share of an article's windows that is nearest to each topic.

        Returns
        -------
        ndarray of shape (n_articles, n_topics), in [0, 1]
            Rows sum to 1; an article without text has an all-zero row.
        """
        if windows.vectors is None:
            raise UsageError("topics need window vectors, got windows that were not encoded")
        shares = np.zeros((windows.n_articles, len(self.topics)), dtype=np.float32)
        filled = windows.vectors.any(axis=1)
        nearest = self.similarities(windows.vectors).argmax(axis=1)
        np.add.at(shares, (windows.article[filled], nearest[filled]), 1)
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(shares / np.where(total > 0, total, 1), dtype=np.float32)

    def add(self, vectors: FloatMatrix, texts: Sequence[str], ids: Sequence[str], *, min_new: int = 10) -> IntVector:
        """Take in further articles: ids and names stay, sizes grow, a group of outliers becomes a topic.

        Parameters
        ----------
        vectors, texts, ids
            As in `fit`.
        min_new : int
            Outliers that must lie together for a new topic, which gets the next free id.

        Returns
        -------
        ndarray of shape (n_articles,), int64
            Topic ids.
        """
        labels = self.assign(vectors)
        points = self.reduction.apply(vectors)
        # An article of a hidden topic is no stray.
        far = (
            (points @ self.centroids.T).max(axis=1) < np.float32(self.min_similarity) if len(points) else points.any(1)
        )
        stray = np.flatnonzero(far & points.any(axis=1))
        if len(stray) >= min_new:
            centre = unit_rows(points[stray].mean(axis=0, keepdims=True))
            close = stray[(points[stray] @ centre.T).ravel() >= max(self.min_similarity, _NEW_TOPIC)]
            if len(close) >= min_new:
                self._open_topic(points[close])
                labels = self.assign(vectors)
        terms = count_terms(texts, min_df=1, vocabulary=self.vocabulary)
        self._absorb(vectors, labels, terms, ids)
        return labels

    def _open_topic(self, points: FloatMatrix) -> None:
        """Append a topic around points of shape (n_points, n_components), with the next free id."""
        number = 1 + max([t.id for t in self.topics] + [e["topic"] for e in self.lineage])
        self.centroids = np.concatenate([self.centroids, unit_rows(points.mean(axis=0, keepdims=True))])
        self.counts = np.concatenate([self.counts, np.zeros((1, self.counts.shape[1]), dtype=np.int64)])
        self.topics.append(Topic(number, "", (), 0))
        self.lineage.append({"event": "new", "topic": number, "from": []})

    def reduce_outliers(
        self, vectors: FloatMatrix, texts: Sequence[str], ids: Sequence[str], *, share: float = 0.0
    ) -> IntVector:
        """Let the nearest topics take outliers in, until at most `share` of the articles given is left without one.

        The model changes with them: later articles as far off get a topic too, sizes and word counts grow.

        Parameters
        ----------
        vectors, texts, ids
            The articles that the model was fitted on.
        share : float
            In [0, 1).

        Returns
        -------
        ndarray of shape (n_articles,), int64
            Topic ids.
        """
        if not 0 <= share < 1:
            raise UsageError(f"share of outliers must be in [0, 1), got {share}")
        before = self.assign(vectors)
        best = self.similarities(vectors).max(axis=1)[vectors.any(axis=1)]
        self.min_similarity = min(self.min_similarity, _floor(best, share))
        labels = self.assign(vectors)
        taken = np.flatnonzero(labels != before).tolist()
        terms = count_terms([texts[i] for i in taken], min_df=1, vocabulary=self.vocabulary)
        self._absorb(vectors[taken], labels[taken], terms, [ids[i] for i in taken])
        return labels

    def forget_counts(self) -> None:
        """Set sizes and word counts to zero, so that adding the fitted articles again does not count them twice."""
        self.counts = np.zeros_like(self.counts)
        self.topics = [replace(t, size=0) for t in self.topics]

    def shown(self) -> TopicModel:
        """Return a copy with the topics that are not hidden: for tables and plots, not for assigning."""
        rows = [i for i, t in enumerate(self.topics) if not t.hidden]
        topics = [self.topics[i] for i in rows]
        return replace(self, centroids=self.centroids[rows], counts=self.counts[rows], topics=topics)

    def merge(self, group: Sequence[int]) -> int:
        """Make one topic of several; the lowest id stays and the lineage says what went into it; it is named anew."""
        numbers = [t.id for t in self.topics]
        unknown = sorted(set(group) - set(numbers))
        if unknown or len(set(group)) < 2:
            raise UsageError(f"merge needs two or more topic ids of {numbers}, got {list(group)}")
        keep, rows = min(group), [numbers.index(i) for i in sorted(set(group))]
        sizes = np.array([self.topics[r].size for r in rows], dtype=np.float32)[:, None]
        self.centroids[rows[0]] = unit_rows((self.centroids[rows] * sizes).sum(axis=0, keepdims=True))[0]
        self.counts[rows[0]] = self.counts[rows].sum(axis=0)
        names = [self.topics[r].representatives for r in rows]
        self.topics[rows[0]] = replace(
            self.topics[rows[0]], size=int(sizes.sum()), representatives=tuple(i for n in names for i in n)[:_TYPICAL]
        )
        left = [i for i in range(len(numbers)) if i not in rows[1:]]
        self.centroids, self.counts = self.centroids[left], self.counts[left]
        self.topics = [self.topics[i] for i in left]
        place = left.index(rows[0])
        found = self._words(None)[place]
        name = topic_name(found, given=self.topics[place].seed)
        self.topics[place] = replace(self.topics[place], words=tuple(found), name=name, certificate=None)
        self.lineage.append({"event": "merge", "topic": keep, "from": sorted(set(group))})
        return keep

    def _words(self, terms: TermTable | None) -> list[list[str]]:
        """Return the words that describe each topic; `terms` says which words stand together in an article."""
        presence = None if terms is None else terms.presence
        sizes = [t.size for t in self.topics]
        return topic_words(self.counts, sizes, self.vocabulary, presence, n_words=self.settings.n_words)

    def _check_width(self, vectors: FloatMatrix) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != len(self.reduction.mean):
            raise DataError(f"expected vectors of shape (n, {len(self.reduction.mean)}), got {vectors.shape}")

    def _absorb(self, vectors: FloatMatrix, labels: IntVector, terms: TermTable, ids: Sequence[str]) -> None:
        """Add articles to sizes and word counts, and describe the topics that have no words yet."""
        members = [np.flatnonzero(labels == t.id) for t in self.topics]
        held = (terms.counts > 0).astype(np.int64)
        self.counts = self.counts + np.stack([np.asarray(held[m].sum(axis=0)).ravel() for m in members])
        self.topics = [replace(t, size=t.size + len(m)) for t, m in zip(self.topics, members)]
        if all(t.words or not len(m) for t, m in zip(self.topics, members)):
            return
        similarity = self.similarities(vectors)
        chosen = self._words(terms)
        for column, (topic, rows, found) in enumerate(zip(self.topics, members, chosen)):
            if not topic.words:
                nearest = rows[np.argsort(-similarity[rows, column], kind="stable")]
                self.topics[column] = replace(
                    topic,
                    name=topic_name(found, given=topic.seed),
                    words=tuple(found),
                    representatives=tuple(dict.fromkeys(ids[r] for r in nearest[:_TYPICAL])),
                )


def _check(vectors: FloatMatrix, texts: Sequence[str], ids: Sequence[str], s: TopicSettings) -> None:
    """Refuse what no topics can be found in."""
    if not len(vectors) == len(texts) == len(ids):
        raise DataError(f"expected one vector, text and id per article, got {len(vectors)}, {len(texts)}, {len(ids)}")
    n = int(vectors.any(axis=1).sum())
    if n < 2:
        raise DataError(f"topics need at least 2 articles with text, got {n} of {len(texts)}")
    if not np.isfinite(vectors).all():
        raise DataError("vectors must be finite, got NaN or infinity")
    if s.n_topics is not None and s.n_topics > max(1, n // 2):
        raise DataError(
            f"topics.n_topics must be at most half the articles with text ({n // 2} of {n}), got {s.n_topics}"
        )


def _seed(
    s: TopicSettings,
    reduction: Reduction,
    vectors: FloatMatrix,
    seeds: Mapping[str, FloatMatrix],
    windows: Windows | None,
) -> tuple[list[str], FloatMatrix, IntVector]:
    """Return seed names, their points, and the seed each article is near to (-1: none)."""
    names = sorted(seeds) if s.seeding != "none" else []
    if s.seeding != "none" and not names:
        raise UsageError(f"topics.seeding={s.seeding} needs seeds: a taxonomy with prototypes")
    near = np.full(len(vectors), -1, dtype=np.int64)
    if not names:
        return [], np.zeros((0, reduction.basis.shape[1]), dtype=np.float32), near
    means = unit_rows(np.stack([seeds[name].mean(axis=0) for name in names]))
    if windows is None or windows.vectors is None:
        similarity = unit_rows(vectors) @ means.T
    else:
        similarity = np.full((len(vectors), len(names)), -1, dtype=np.float32)
        np.maximum.at(similarity, windows.article, windows.vectors @ means.T)
    best = similarity.argmax(axis=1)
    hit = similarity[np.arange(len(best)), best] >= s.seed_similarity
    near[hit] = best[hit]
    return names, reduction.apply(means), near


def _clusters(
    s: TopicSettings, points: FloatMatrix, names: Sequence[str], anchors: FloatMatrix, near: IntVector
) -> tuple[FloatMatrix, list[str | None], dict[int, float]]:
    """Return centroids, the seed that each was made from (None: none), and the stabilities of the numbers tried."""
    if s.seeding == "guided":
        points, pulled = points.copy(), near >= 0
        points[pulled] = unit_rows(0.75 * points[pulled] + 0.25 * anchors[near[pulled]])
    free = points[near < 0] if s.seeding == "zero-shot" else points
    tried: dict[int, float] = {}
    k = s.n_topics
    if k is None:
        k, tried = choose_k(free, target=s.target_stability, n_runs=s.n_runs, seed=s.seed)
    centroids = fit_centroids(free, k, n_runs=s.n_runs, seed=s.seed, max_sample=s.max_sample)
    if s.seeding != "zero-shot":
        return centroids, [None] * len(centroids), tried
    found = centroids if len(free) else centroids[:0]
    used = [i for i in range(len(names)) if (near == i).any()]
    own = [unit_rows(points[near == i].mean(axis=0, keepdims=True)) for i in used]
    return np.concatenate([*own, found]), [*(names[i] for i in used), *[None] * len(found)], tried


def _floor(best: FloatMatrix, share: float) -> float:
    """Return the similarity below which a `share` of articles lies, given each one's to its nearest topic."""
    return float(np.quantile(best, share, method="lower")) if len(best) and share > 0 else -1.0
