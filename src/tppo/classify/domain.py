"""Whether a text is of the kind the classifier was trained on: if not, a label is for review, with the reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tppo.corpus.splits import balanced_folds
from tppo.embedding.terms import words
from tppo.errors import ModelError

__all__ = ["Domain"]

FloatArray = NDArray[np.float64]

MIN_ARTICLES = 2  # a word counts as known if so many training articles have it
PRIOR_WORDS = 2  # each text is taken to have so many more words, as known as usual: one name decides nothing
MARGIN = 2.5
LOWEST, HIGHEST = 0.3, 0.8  # of the floor: a small corpus says little about it

# One word in the two standards of one language: Malay (Malaysia, Brunei, Singapore) and Indonesian.
TWINS = {
    "bahawa": "bahwa",
    "bilion": "miliar",
    "dijangka": "diperkirakan",
    "disember": "desember",
    "disiasat": "diselidiki",
    "iaitu": "yaitu",
    "isnin": "senin",
    "julai": "juli",
    "jumaat": "jumat",
    "kerana": "karena",
    "kes": "kasus",
    "khamis": "kamis",
    "manakala": "sedangkan",
    "mangsa": "korban",
    "memaklumkan": "memberitahukan",
    "menerusi": "melalui",
    "ogos": "agustus",
    "pasport": "paspor",
    "polis": "polisi",
    "sahaja": "saja",
    "siasatan": "penyelidikan",
    "syarikat": "perusahaan",
    "telefon": "telepon",
    "universiti": "universitas",
    "wang": "uang",
}
_INDONESIAN = frozenset(TWINS.values())
MIN_TWINS = 2  # different ones: Wang is also a name


@dataclass(frozen=True)
class Domain:
    """What the training articles were written in.

    A text is outside if too few of its words are known from training (another language, code, garbled text), or if it
    is Malay: so close to Indonesian that most words are known, but of the words that the two standards spell
    differently, most are spelled the Malay way.

    Parameters
    ----------
    known : frozenset of str
        The words of at least `MIN_ARTICLES` training articles, in lower case.
    usual : float
        Median share of known words in articles that were held out, in [0, 1].
    floor : float
        Least share of known words, in [`LOWEST`, `HIGHEST`].
    """

    known: frozenset[str]
    usual: float
    floor: float

    @classmethod
    def fit(cls, texts: Sequence[str], *, groups: Sequence[str], n_folds: int = 5, seed: int = 0) -> Self:
        """Learn the words of texts, and from held-out folds how many of them a text of this kind has at least.

        The floor lies `MARGIN` times as far below the median of the held-out articles as their lowest hundredth does,
        so that news of other subjects, with other names, stays inside.

        Parameters
        ----------
        texts : sequence of str, length n_articles
            Clean texts of the training articles.
        groups : sequence of str, length n_articles
            Articles of one group share a fold.
        n_folds : int
            At least 2; fewer are used if there are fewer groups.
        seed : int
            Decides the folds.
        """
        split = [words(text) for text in texts]
        everything = _known(split)
        n_folds = min(n_folds, len(set(groups)))
        if n_folds < 2:
            return cls(everything, usual=1.0, floor=LOWEST)
        fold = balanced_folds(groups, np.zeros((len(texts), 0), dtype=bool), n_folds=n_folds, seed=seed)
        shares = []
        for held_out in range(n_folds):
            inside = [tokens for tokens, f in zip(split, fold) if f == held_out and tokens]
            known = _known([tokens for tokens, f in zip(split, fold) if f != held_out])
            shares += [sum(w in known for w in tokens) / len(tokens) for tokens in inside]
        low, usual = np.percentile(shares, [1, 50]) if shares else (1.0, 1.0)
        floor = usual - MARGIN * (usual - low)
        return cls(everything, usual=float(usual), floor=float(np.clip(floor, LOWEST, HIGHEST)))

    def reason(self, text: str) -> str | None:
        """Say why a clean text is outside, or None if it is inside."""
        tokens = words(text)
        if not tokens:
            return "no words"
        n_known = sum(map(self.known.__contains__, tokens))
        share = (n_known + PRIOR_WORDS * self.usual) / (len(tokens) + PRIOR_WORDS)
        if share < self.floor:
            return f"unlike the training articles: {share:.0%} known words, expected at least {self.floor:.0%}"
        if len(TWINS.keys() & tokens) >= MIN_TWINS:
            n_malay, n_indonesian = (sum(map(twins.__contains__, tokens)) for twins in (TWINS, _INDONESIAN))
            if n_malay > n_indonesian:
                return "Malay rather than Indonesian"
        return None

    def save(self, path: Path) -> None:
        """Write as JSON."""
        state = {"usual": self.usual, "floor": self.floor, "known": sorted(self.known)}
        path.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is missing or damaged.
        """
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            return cls(frozenset(map(str, state["known"])), float(state["usual"]), float(state["floor"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"cannot read the words of the training articles {path}: {error}") from None


def _known(split: Iterable[Sequence[str]]) -> frozenset[str]:
    counts = Counter(word for tokens in split for word in set(tokens))
    return frozenset(word for word, n in counts.items() if n >= MIN_ARTICLES)
