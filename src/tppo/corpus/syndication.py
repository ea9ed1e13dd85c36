"""Group articles that tell one story: copies share their word sequences, rewrites share names, numbers and meaning.

Copies are found by MinHash over word shingles. Rewrites are found by the rare names, numbers and dates they share, and
confirmed by the similarity of their vectors, which the caller brings (this stage does not know the encoders).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tppo.errors import UsageError

__all__ = [
    "PairScores",
    "SyndicationSettings",
    "copy_pairs",
    "group_articles",
    "grouped_pairs",
    "pair_scores",
    "rewrite_pairs",
    "shingle_hashes",
]

Pairs = NDArray[np.int64]
Matrix = NDArray[np.float32]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class SyndicationSettings:
    """When two articles are taken for one story. Tuned on the training clusters g1 to g24 and judged pairs.

    What was kept aside, and how well it is found, stands in experiments/008-syndication.

    Parameters
    ----------
    shingle : int
        Words in a shingle.
    bands, rows : int
        Bands of the MinHash signature and values in each; pairs that agree in one band are compared.
    min_containment : float
        Copies: share of the shorter article's shingles that stand in the other, in (0, 1].
    min_shared : float
        Rewrites: shared facts, each weighted by its rarity (1 for one that only two articles have).
    min_overlap : float
        Rewrites: weight of the shared facts over that of the article with the fewer, in (0, 1].
    min_cosine : float
        Rewrites: cosine of the two vectors.
    min_linked : float
        Rewrites: two groups are joined if this share of the pairs between them are rewrites, in (0, 1]. Other angles of
        one press conference are linked in chains, each to the next; tellings of one story are all linked.
    max_frequency : int
        Facts in more articles than this lead to no candidates (they still count).
    max_days : int
        Rewrites: days between the publications, where both are known.
    """

    shingle: int = 4
    bands: int = 32
    rows: int = 3
    min_containment: float = 0.5
    min_shared: float = 6.0
    min_overlap: float = 0.5
    min_cosine: float = 0.65
    min_linked: float = 0.5
    max_frequency: int = 60
    max_days: int = 14


@dataclass(frozen=True)
class PairScores:
    """Pairs of articles grouped together, against the pairs that belong together."""

    right: int
    found: int
    wanted: int

    @property
    def precision(self) -> float:
        """Share of the pairs found that belong together."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the pairs that belong together that were found."""
        return self.right / self.wanted if self.wanted else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.right / max(1, self.found + self.wanted)


def pair_scores(found: Sequence[Hashable], wanted: Sequence[Hashable]) -> PairScores:
    """Compare two groupings of the same articles, each one label per article."""
    if len(found) != len(wanted):
        raise UsageError(f"expected one group per article in both groupings, got {len(found)} and {len(wanted)}")
    pairs, others = grouped_pairs(found), grouped_pairs(wanted)
    return PairScores(len(pairs & others), len(pairs), len(others))


def grouped_pairs(labels: Sequence[Hashable]) -> set[tuple[int, int]]:
    """Return all pairs of positions (the lower first) that have one label."""
    members: dict[Hashable, list[int]] = {}
    for number, label in enumerate(labels):
        members.setdefault(label, []).append(number)
    return {pair for group in members.values() for pair in combinations(group, 2)}


def group_articles(
    texts: Sequence[str],
    *,
    vectors: Matrix | None = None,
    published: Sequence[str | None] | None = None,
    settings: SyndicationSettings | None = None,
) -> NDArray[np.int64]:
    """Number the stories.

    Parameters
    ----------
    texts : sequence of str, length n_articles
        Clean texts: shared boilerplate would count as shared words.
    vectors : ndarray of shape (n_articles, dimension), optional
        Article vectors of any length; without them only copies are found.
    published : sequence of str or None, optional
        ISO dates; rewrites lie close in time.
    settings : SyndicationSettings, optional
        Thresholds.

    Returns
    -------
    ndarray of shape (n_articles,), int64
        The same number for all articles of one story, in order of first appearance from 0.
    """
    settings = settings or SyndicationSettings()
    groups = _connected(copy_pairs(texts, settings), len(texts))
    if vectors is not None:
        links = rewrite_pairs(texts, vectors, settings, published=published)
        groups = _joined(groups, links, settings.min_linked)
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _connected(pairs: Pairs, n_articles: int) -> NDArray[np.int64]:
    """Number the groups of articles that pairs connect, directly or through others."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(pairs), dtype=bool), tuple(pairs.T)), shape=(n_articles, n_articles))
    labels: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _joined(groups: NDArray[np.int64], links: Pairs, min_linked: float) -> NDArray[np.int64]:
    """Join groups that enough links connect, along the strongest links first."""
    group = groups.tolist()
    members: dict[int, list[int]] = {}
    for number, label in enumerate(group):
        members.setdefault(label, []).append(number)
    between: dict[int, Counter[int]] = {label: Counter() for label in members}
    for left, right in links.tolist():
        if group[left] != group[right]:
            between[group[left]][group[right]] += 1
            between[group[right]][group[left]] += 1
    joined = True
    while joined:
        joined = False
        for left, right in links.tolist():
            kept, gone = sorted((group[left], group[right]), key=lambda label: -len(members[label]))
            possible = len(members[kept]) * len(members[gone])
            if kept == gone or between[kept][gone] < min_linked * possible:
                continue
            joined = True
            for number in members[gone]:
                group[number] = kept
            members[kept] += members.pop(gone)
            del between[kept][gone], between[gone][kept]
            for other, count in between.pop(gone).items():
                between[kept][other] += count
                between[other][kept] += count
                del between[other][gone]
    return np.array(group, dtype=np.int64)


def copy_pairs(texts: Sequence[str], settings: SyndicationSettings) -> Pairs:
    """Return pairs of articles of which one holds most of the other's word sequences; shape (n_pairs, 2)."""
    vocabulary: dict[str, int] = {}
    shingles: list[Hashes] = []
    signatures = np.zeros((len(texts), settings.bands * settings.rows), dtype=np.uint64)
    generator = np.random.default_rng(0)
    factors = generator.integers(1, 2**63, signatures.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    for number, text in enumerate(texts):
        ids = [vocabulary.setdefault(word, len(vocabulary)) for word in re.findall(r"\w+", text.casefold())]
        shingles.append(np.unique(shingle_hashes(np.array(ids, dtype=np.uint64), settings.shingle)))
        if len(shingles[-1]):
            # Multiplying by an odd number permutes the 64-bit integers; the high bits mix best.
            for start in range(0, len(factors), 32):
                part = slice(start, start + 32)
                signatures[number, part] = (shingles[-1][:, None] * factors[part]).min(axis=0)
    filled = np.array([len(s) > 0 for s in shingles], dtype=bool)
    candidates = _banded(signatures, filled, settings)
    kept = [
        pair for pair in candidates if _containment(shingles[pair[0]], shingles[pair[1]]) >= settings.min_containment
    ]
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def shingle_hashes(words: Hashes, size: int) -> Hashes:
    """Return the hashes of all runs of `size` words, given by their numbers, in the order of the text; uint64."""
    if len(words) < size:
        return np.zeros(0, dtype=np.uint64)
    mixed = words + np.uint64(1)
    runs = np.zeros(len(words) - size + 1, dtype=np.uint64)
    for offset in range(size):
        runs = (runs ^ mixed[offset : offset + len(runs)]) * np.uint64(0x9E3779B97F4A7C15)
        runs ^= runs >> np.uint64(29)
    return runs


def _banded(signatures: Hashes, filled: NDArray[np.bool_], settings: SyndicationSettings) -> list[tuple[int, int]]:
    """Return pairs that agree in a band: every article with the first and with the one before of its bucket."""
    found: set[tuple[int, int]] = set()
    numbers = np.flatnonzero(filled)
    for band in range(settings.bands):
        part = signatures[numbers, band * settings.rows : (band + 1) * settings.rows]
        keys = np.zeros(len(part), dtype=np.uint64)
        for column in part.T:
            keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(31)
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        first = -1
        for position in same.tolist():
            if first < 0 or keys[order[position]] != keys[order[first]]:
                first = position
            for other in (first, position):
                found.add((int(numbers[order[other]]), int(numbers[order[position + 1]])))
    return sorted(found)


def _containment(left: Hashes, right: Hashes) -> float:
    return len(np.intersect1d(left, right, assume_unique=True)) / min(len(left), len(right))


_MONTHS = [
    "januari",
    "februari",
    "maret",
    "april",
    "mei",
    "juni",
    "juli",
    "agustus",
    "september",
    "oktober",
    "november",
    "desember",
]
# Names inside a sentence (a capital there is not the sentence's own) and numbers of any kind.
_NAME = re.compile(r"""(?<![.!?…:"“”'‘’—–-]\s)(?<!^)(?<!["“‘(])\b[A-Z][\w'’-]*\w""", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,/]\d+)+|\d{2,}")
_DATE = re.compile(rf"\b(\d{{1,2}})(?:\s+({'|'.join(_MONTHS)})\b|/(\d{{1,2}})\b)", re.IGNORECASE)


def _facts(text: str) -> set[str]:
    """Return the names, numbers and dates (day/month) that a text states."""
    dates = {f"{int(m[1])}/{_MONTHS.index(m[2].lower()) + 1 if m[2] else int(m[3])}" for m in _DATE.finditer(text)}
    return dates | {m.group().casefold() for m in _NAME.finditer(text)} | set(_NUMBER.findall(text))


def rewrite_pairs(
    texts: Sequence[str],
    vectors: Matrix,
    settings: SyndicationSettings,
    *,
    published: Sequence[str | None] | None = None,
) -> Pairs:
    """Return pairs of articles that share rare facts and meaning, largest overlap first; shape (n_pairs, 2).

    Raises
    ------
    UsageError
        If there is not one vector per text.
    """
    from scipy.sparse import csr_matrix

    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise UsageError(f"expected vectors of shape ({len(texts)}, dimension), got {vectors.shape}")
    index: dict[str, int] = {}
    rows = [sorted(index.setdefault(fact, len(index)) for fact in _facts(text)) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    columns = np.array([column for row in rows for column in row], dtype=np.int64)
    frequency = np.bincount(columns, minlength=len(index))
    # A thousand articles more: in a small collection everything would look rare or common by chance.
    rarity = np.log((len(texts) + 1000) / np.maximum(frequency, 2)) / np.log((len(texts) + 1000) / 2)
    weights = csr_matrix((rarity[columns], columns, starts), shape=(len(texts), len(index)))
    known = weights.astype(bool).astype(np.float64)
    rare = (frequency >= 2) & (frequency <= settings.max_frequency)
    candidates = known[:, np.flatnonzero(rare)]
    totals = np.asarray(weights.sum(axis=1)).ravel()
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    days = np.array([np.datetime64(day or "NaT", "D") for day in published or [None] * len(texts)])
    unit = vectors / np.where(length > 0, length, 1)
    found, overlaps = [], []
    for start in range(0, len(texts), 1000):
        shared = (candidates[start : start + 1000] @ candidates.T).tocoo()
        left, right = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        near = (left < right) & (shared.data >= settings.min_shared / 2)
        left, right = left[near], right[near]
        for block in range(0, len(left), 50_000):
            i, j = left[block : block + 50_000], right[block : block + 50_000]
            # A date that is not known (NaT) compares as false: it rules nothing out.
            apart = np.abs(days[i] - days[j]) > np.timedelta64(settings.max_days, "D")
            near = ~apart & (np.einsum("nd,nd->n", unit[i], unit[j]) >= settings.min_cosine)
            i, j = i[near], j[near]
            common = np.asarray(weights[i].multiply(known[j]).sum(axis=1)).ravel()
            overlap = common / np.maximum(np.minimum(totals[i], totals[j]), 1e-9)
            kept = (common >= settings.min_shared) & (overlap >= settings.min_overlap)
            found.append(np.column_stack([i[kept], j[kept]]))
            overlaps.append(overlap[kept])
    if not found:
        return np.zeros((0, 2), dtype=np.int64)
    return np.concatenate(found)[np.argsort(-np.concatenate(overlaps), kind="stable")]
