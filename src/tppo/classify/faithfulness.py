"""Whether the quoted evidence is what a label rests on: take it out, and see what becomes of the probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tppo.classify.model import ModusModel
from tppo.classify.scorer import YES

__all__ = ["Deletion", "deletions"]

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Deletion:
    """One label of one article, read again without its evidence, and without as many other sentences.

    Parameters
    ----------
    article : int
        Index of the article.
    label : str
        A label that it was given.
    whole, without_evidence : float
        Probability of the label for the whole article and without its evidence, in [0, 1].
    without_others : float
        Without as many other sentences, drawn at random; NaN where the article has fewer.
    """

    article: int
    label: str
    whole: float
    without_evidence: float
    without_others: float


def deletions(model: ModusModel, texts: Sequence[str], *, seed: int = 0) -> list[Deletion]:
    """Delete the evidence of every label given, and as many random sentences to compare.

    The fall of the probability is what DeYoung et al. (2020) call comprehensiveness.

    Parameters
    ----------
    model : ModusModel
        A trained model.
    texts : sequence of str
        Articles as scraped.
    seed : int
        Decides which other sentences are taken out.

    Returns
    -------
    list of Deletion
        One per label given, in the order of the articles and labels.
    """
    draw = np.random.default_rng(seed)
    readings = model.read(texts)
    pieces = _sentences(model, texts)
    cases: list[tuple[int, int, bool]] = []
    shortened: list[str] = []
    for article, k in zip(*(axis.tolist() for axis in np.nonzero(readings.decisions == YES))):
        quoted = [(e.start, e.end) for e in readings.evidence[article] if e.label == readings.keys[k]]
        others = [s for s in pieces[article] if not any(a < s[1] and s[0] < b for a, b in quoted)]
        compared = bool(quoted) and len(others) >= len(quoted)
        cases.append((article, k, compared))
        shortened.append(_without(texts[article], quoted))
        if compared:
            chosen = draw.choice(len(others), len(quoted), replace=False).tolist()
            shortened.append(_without(texts[article], [others[i] for i in chosen]))
    again = iter(model.read(shortened).probabilities)
    found = []
    for article, k, compared in cases:
        without_evidence = float(next(again)[k])
        without_others = float(next(again)[k]) if compared else float("nan")
        whole = float(readings.probabilities[article, k])
        found.append(Deletion(article, readings.keys[k], whole, without_evidence, without_others))
    return found


def _sentences(model: ModusModel, texts: Sequence[str]) -> list[list[Interval]]:
    """Return the windows of each text that the model reads, as offsets into the original."""
    clean = model.clean(texts)
    windows = model.cut(clean)
    pieces: list[list[Interval]] = [[] for _ in texts]
    for article, (start, end) in zip(windows.article.tolist(), windows.spans.tolist()):
        if start < end:
            pieces[article].append(clean[article].to_original(start, end))
    return pieces


def _without(text: str, spans: Sequence[Interval]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text
