"""What a labelling job reports as numbers: counts, rates, and drift from the training articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tppo.classify import ModusModel
from tppo.classify.reference import stability_index
from tppo.labelling.summary import LabelSummary

__all__ = ["Drift", "drift_of", "metrics_of"]


@dataclass(frozen=True)
class Drift:
    """How labelled articles differ from the training articles.

    Parameters
    ----------
    scores : dict
        Label key to the population stability index of its probabilities, see `stability_index`.
    outside : float
        Share of articles unlike the training articles, see `tppo.classify.domain`.
    new_words, new_words_expected : float
        Share of running words that training did not know, and the share in articles held out from it (median).
    n_words : int
        Words that `new_words` is over.
    """

    scores: dict[str, float]
    outside: float
    new_words: float
    new_words_expected: float
    n_words: int


def drift_of(summary: LabelSummary, model: ModusModel) -> Drift | None:
    """Compare a job's articles with the training articles; None if nothing was labelled."""
    if model.reference is None or model.domain is None or not summary.labelled:
        return None
    return Drift(
        scores={key: stability_index(model.reference.shares[key], n) for key, n in summary.scores.items()},
        outside=summary.outside / summary.labelled,
        new_words=summary.n_new_words / max(1, summary.n_words),
        new_words_expected=1 - model.domain.usual,
        n_words=summary.n_words,
    )


def metrics_of(summary: LabelSummary, drift: Drift | None, keys: Sequence[str]) -> dict[str, float]:
    """Return a job's counts, rates and drift under the names they have in MLflow."""
    n = max(1, summary.labelled)
    tokens = max(1, summary.n_tokens + summary.n_tokens_dropped)
    metrics = {
        "label/articles": float(summary.articles),
        "label/labelled": float(summary.labelled),
        "label/quarantined": float(summary.quarantined),
        "label/copies": float(summary.copies),
        "label/review_share": summary.reviews / n,
        "label/truncated_share": summary.truncated / n,
        "label/tokens_dropped_share": summary.n_tokens_dropped / tokens,
        **{f"label/share/{key}": summary.modus.get(key, 0) / n for key in keys},
    }
    if drift is not None:
        metrics |= {f"drift/psi/{key}": value for key, value in drift.scores.items()}
        metrics |= {"drift/outside": drift.outside, "drift/new_words": drift.new_words}
    return metrics
