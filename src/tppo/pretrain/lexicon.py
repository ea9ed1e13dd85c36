"""An Indonesian-English word list aligned from translated sentences, and glosses made with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tppo.embedding.affixes import stem_candidates
from tppo.pretrain.pairs import Pair

__all__ = ["Glosser", "Stemmer", "align", "words"]

IntVector = NDArray[np.int64]
FloatVector = NDArray[np.float64]

_WORD = re.compile(r"[a-z]+|\d+(?:[.,]\d+)*")
_LONGEST_SENTENCE = 60
_SURE = 0.15


def words(text: str) -> list[str]:
    """Return the lower-case words and numbers of a text."""
    return _WORD.findall(text.lower())


class Stemmer:
    """Takes affixes off where that leads to a more frequent form.

    Parameters
    ----------
    counts : Counter of str
        How often each word occurs.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self._memo: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        """Return the stem of a word, or the word."""
        if word not in self._memo:
            best = word
            if len(word) > 4:
                count, form = max((self.counts.get(c, 0), c) for c in stem_candidates(word))
                if count >= 3 and count > self.counts.get(word, 0):
                    best = form
            self._memo[word] = best
        return self._memo[word]


def _ibm1(
    source: Sequence[IntVector], target: Sequence[IntVector], iterations: int = 8, slope: float = 4.0
) -> tuple[IntVector, IntVector, FloatVector, FloatVector]:
    """IBM model 1 with a prior for the diagonal: source ids, target ids, p(target | source), expected counts."""
    size = max(int(t.max()) for t in target) + 1
    pairs, priors, owners, n_targets = [], [], [], 0
    for a, b in zip(source, target):
        n, m = len(a), len(b)
        i, j = np.repeat(np.arange(m), n), np.tile(np.arange(n), m)
        pairs.append(a[j] * size + b[i])
        priors.append(np.exp(-slope * np.abs(i / m - j / n)).astype(np.float32))
        owners.append(n_targets + i)
        n_targets += m
    prior, owner = np.concatenate(priors), np.concatenate(owners)
    key, inverse = np.unique(np.concatenate(pairs), return_inverse=True)
    source_id = key // size
    p: FloatVector = np.ones(len(key))
    count: FloatVector = p
    for _ in range(iterations):
        weight = p[inverse] * prior
        weight /= np.bincount(owner, weight, n_targets)[owner]
        count = np.bincount(inverse, weight, len(key)).astype(np.float64)
        p = count / (np.bincount(source_id, count)[source_id] + 0.01)
    return source_id, key % size, p, count


def align(parallel: Sequence[Pair], stem: Callable[[str], str]) -> dict[str, tuple[float, str]]:
    """Find the best English word of each Indonesian word.

    Parameters
    ----------
    parallel : sequence of (str, str)
        Indonesian sentences and their translations.
    stem : callable
        Applied to every Indonesian word.

    Returns
    -------
    dict of str to (float, str)
        Indonesian word to the English word and its score sqrt(p(e|f) p(f|e)), in (0.05, 1].
    """
    own_ids: dict[str, int] = {}
    english_ids: dict[str, int] = {}
    own_sentences, english_sentences = [], []
    for own_text, english_text in parallel:
        own = [stem(word) for word in words(own_text)][:_LONGEST_SENTENCE]
        english = words(english_text)[:_LONGEST_SENTENCE]
        if own and english and len(own) < 3 * len(english) + 3 and len(english) < 3 * len(own) + 3:
            own_sentences.append(np.array([own_ids.setdefault(w, len(own_ids)) for w in own]))
            english_sentences.append(np.array([english_ids.setdefault(w, len(english_ids)) for w in english]))
    if not own_sentences:
        return {}
    f, e, p, count = _ibm1(own_sentences, english_sentences)
    e_back, f_back, p_back, _ = _ibm1(english_sentences, own_sentences)
    back = f_back * len(english_ids) + e_back
    order = np.argsort(back)
    score = np.sqrt(p * p_back[order][np.searchsorted(back[order], f * len(english_ids) + e)])
    own_words, english_words = list(own_ids), list(english_ids)
    best: dict[str, tuple[float, float, str]] = {}
    for k in np.flatnonzero((score > 0.05) & (count > 0.5)):
        entry = (float(score[k]), float(count[k]), english_words[e[k]])
        name = own_words[f[k]]
        if name not in best or entry > best[name]:
            best[name] = entry
    return {word: (entry[0], entry[2]) for word, entry in best.items()}


class Glosser:
    """Indonesian to English, word by word; a word without a translation stays as it is.

    Parameters
    ----------
    parallel : sequence of (str, str)
        Indonesian sentences and their translations.
    counts : Counter of str
        How often each Indonesian word occurs in all texts.
    """

    def __init__(self, parallel: Sequence[Pair], counts: Counter[str]) -> None:
        self.counts = counts
        self.stem = Stemmer(counts)
        self.by_word = align(parallel, lambda word: word)
        self.by_stem = align(parallel, self.stem)
        self._memo: dict[str, str] = {}

    def word(self, word: str) -> str:
        """Return the English for one word."""
        if word not in self._memo:
            direct, stemmed = self.by_word.get(word), self.by_stem.get(self.stem(word))
            if direct and (direct[0] > _SURE or word not in self.counts):
                gloss = direct[1]
            elif stemmed and stemmed[0] > _SURE:
                gloss = stemmed[1]
            else:
                gloss = (direct or stemmed or (0.0, word))[1]
            self._memo[word] = gloss
        return self._memo[word]

    def __call__(self, text: str) -> str:
        """Return the glosses of all words of a text, in their order."""
        return " ".join(self.word(word) for word in words(text))
