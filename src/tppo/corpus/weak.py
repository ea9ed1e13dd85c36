"""Label articles by rule: the taxonomy's cues as labelling functions, held back where a sentence denies them.

Each cue of a label votes for its label in the sentences where it matches, unless the match stands in the scope of a
negation, a denial, a hoax correction or a prohibition. The sentences that voted are the evidence, so that what
comes out can be trained on like hand-marked articles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tppo.corpus.article import Article, Span
from tppo.corpus.cleaning import Cleaner
from tppo.corpus.sentences import sentence_spans
from tppo.taxonomy import Taxonomy

__all__ = ["FunctionReport", "WeakLabeller", "WeakLabels", "report"]

# Words that take back what follows them in the clause: "bukan korban scam", "tidak ada kaitan dengan jual beli ginjal".
_BEFORE = re.compile(
    r"\b(bukan(lah)?|(tidak|tak) (ada|terbukti|terkait|terlibat|benar|menemukan|ditemukan|pernah)|belum ditemukan|"
    r"tanpa (ada )?unsur|membantah|bantah|menepis|menampik|isu|kabar bohong|hoaks|hoax|haram|larang(an)?|dilarang|"
    r"bebas dari|nihil|mencegah agar tidak)\b[^.;:!?]{0,60}$",
    re.IGNORECASE,
)
# Words that take back what stands before them: "… itu hoaks", "kabar jual ginjal itu tidak benar".
_AFTER = re.compile(
    r"^[^.;!?]{0,80}\b(hoaks|hoax|tidak benar|tak benar|tidak terbukti|dibantah|membantah|kabar bohong|disinformasi|"
    r"misinformasi|menyesatkan|salah kaprah|cuma isu|hanya isu|nihil)\b",
    re.IGNORECASE,
)
# "tidak hanya", "bukan hanya" and "bukan cuma" deny nothing; nor does a denial that is itself said of somebody's trick.
_NOT_ONLY = re.compile(r"\b(tidak|tak|bukan) (hanya|cuma|sekadar|saja|sekedar)\b", re.IGNORECASE)
# An article that opens as a correction: none of its claims counts.
_CORRECTION = re.compile(
    r"\[?\b(salah|hoaks|hoax|cek fakta|disinformasi|misinformasi|keliru)\b\]?\s*[:\]!,]|\b(hoaks|hoax)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class WeakLabels:
    """Votes of all functions on all articles.

    Parameters
    ----------
    names : tuple of str
        One name per function: label key and number of the cue.
    keys : tuple of str
        Label keys in the taxonomy's order, the context label last.
    votes : ndarray of shape (n_articles, n_functions), int8
        1 for the function's label, -1 against it (the cue stands only where it is denied), 0 for silent.
    labels : ndarray of shape (n_articles, n_labels), bool
        Labels given: at least one vote for, in the column order of `keys`.
    evidence : tuple of tuple of Span
        Per article the sentences that voted, as offsets into the original text.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    votes: NDArray[np.int8]
    labels: NDArray[np.bool_]
    evidence: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class FunctionReport:
    """How one labelling function did.

    Parameters
    ----------
    name, pattern : str
        The function.
    coverage : float
        Share of the articles it votes on, for or against.
    conflict : float
        Share of the articles it votes on where another function of its label votes the other way.
    accuracy : float or None
        Share of its votes that agree with the known labels; None where none are known.
    """

    name: str
    pattern: str
    coverage: float
    conflict: float
    accuracy: float | None


class WeakLabeller:
    """Labelling functions made of a taxonomy's cues.

    Parameters
    ----------
    taxonomy : Taxonomy
        Labels and their cues (regular expressions, matched without regard to case).
    cleaner : Cleaner
        Boilerplate is no evidence.
    """

    def __init__(self, taxonomy: Taxonomy, cleaner: Cleaner) -> None:
        self.keys = taxonomy.label_keys
        self._cleaner = cleaner
        labels = (*taxonomy.modus, taxonomy.context)
        self.functions = tuple(
            (f"{label.key}/{number}", column, re.compile(cue, re.IGNORECASE))
            for column, label in enumerate(labels)
            for number, cue in enumerate(label.cues, 1)
        )

    def label(self, articles: Sequence[Article]) -> WeakLabels:
        """Label articles."""
        votes = np.zeros((len(articles), len(self.functions)), dtype=np.int8)
        labels = np.zeros((len(articles), len(self.keys)), dtype=bool)
        evidence = []
        for row, article in enumerate(articles):
            spans: dict[Span, None] = {}
            clean = self._cleaner.clean(article.text)
            correction = bool(_CORRECTION.search(f"{article.title or ''}: ") or _CORRECTION.match(clean.text))
            for start, end in sentence_spans(clean.text):
                sentence = clean.text[start:end]
                for number, (_, column, cue) in enumerate(self.functions):
                    held = [correction or denied(sentence, *match.span()) for match in cue.finditer(sentence)]
                    if held and not all(held):
                        votes[row, number] = 1
                        labels[row, column] = True
                        spans[Span(self.keys[column], *clean.to_original(start, end))] = None
                    elif held and votes[row, number] == 0:
                        votes[row, number] = -1
            evidence.append(tuple(spans))
        names = tuple(name for name, _, _ in self.functions)
        return WeakLabels(names, self.keys, votes, labels, tuple(evidence))


def denied(sentence: str, start: int, end: int) -> bool:
    """Tell whether ``sentence[start:end]`` stands in the scope of a negation, denial, hoax correction or ban."""
    before, after = _NOT_ONLY.sub("", sentence[:start]), sentence[end:]
    return bool(_BEFORE.search(before) or _AFTER.search(after))


def report(labeller: WeakLabeller, weak: WeakLabels, articles: Sequence[Article]) -> list[FunctionReport]:
    """Return coverage, conflict and accuracy of every function; gold where an article is labelled."""
    reports = []
    for number, (name, column, cue) in enumerate(labeller.functions):
        votes = weak.votes[:, number]
        siblings = [n for n, (_, c, _) in enumerate(labeller.functions) if c == column and n != number]
        others = weak.votes[:, siblings]
        voted = votes != 0
        against = (others * votes[:, None] < 0).any(axis=1) & voted
        gold = [_known(article, labeller.keys, column) for article in articles]
        judged = [(vote > 0) == truth for vote, truth in zip(votes.tolist(), gold) if vote and truth is not None]
        reports.append(
            FunctionReport(
                name=name,
                pattern=cue.pattern,
                coverage=float(voted.mean()) if len(voted) else 0.0,
                conflict=float(against.sum() / max(1, voted.sum())),
                accuracy=sum(judged) / len(judged) if judged else None,
            )
        )
    return reports


def _known(article: Article, keys: Sequence[str], column: int) -> bool | None:
    if column == len(keys) - 1:
        return article.tppo
    return None if article.labels is None else keys[column] in article.labels
