"""What a labelling job counts while it runs: where every row went, what was given, what the drift report needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tppo.classify.reference import Reference
from tppo.corpus import Rejected
from tppo.errors import DataError

__all__ = ["LabelSummary"]


@dataclass
class LabelSummary:
    """What a labelling job did.

    Parameters
    ----------
    articles : int
        Rows of the inputs.
    labelled, quarantined : int
        Where they went; the two add up to `articles`.
    reviews : int
        Articles with at least one label to review.
    outside : int
        Articles unlike the training articles, see `tppo.classify.domain`.
    truncated : int
        Articles of which tokens lay beyond the limits.
    copies : int
        Articles that are copies of an earlier one, if copies were looked for.
    modus : dict
        Label key to number of articles that were given it, the context label included.
    n_tokens, n_tokens_dropped : int
        Tokens read, and tokens beyond the limits.
    reasons : dict
        Kind of quarantine reason to number of rows.
    parts : list of str
        Output files, in order.
    scores : dict
        Label key to number of articles in each of the bins of `Reference.edges`.
    n_words, n_new_words : int
        Running words of the articles that were watched for drift, and those of them that training did not know.
    """

    articles: int = 0
    labelled: int = 0
    quarantined: int = 0
    reviews: int = 0
    outside: int = 0
    truncated: int = 0
    copies: int = 0
    modus: dict[str, int] = field(default_factory=dict)
    n_tokens: int = 0
    n_tokens_dropped: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    scores: dict[str, list[int]] = field(default_factory=dict)
    n_words: int = 0
    n_new_words: int = 0

    def add(self, table: Any, rejected: Sequence[Rejected], keys: Sequence[str], reference: Reference | None) -> None:
        """Count a part.

        Parameters
        ----------
        table : pyarrow.Table
            Of `output_schema`.
        rejected : sequence of Rejected
            The part's other rows.
        keys : sequence of str
            The labels.
        reference : Reference or None
            Bins of the scores; None counts none.
        """
        import functools

        import pyarrow.compute as pc

        def total(column: Any) -> int:
            return int(pc.sum(column).as_py() or 0)

        decisions = [table[f"decision_{key}"] for key in keys]
        for key, decision in zip(keys, decisions):
            if given := total(pc.equal(decision, "yes")):
                self.modus[key] = self.modus.get(key, 0) + given
            if reference is not None:
                bins = reference.histogram(key, table[f"p_{key}"].to_numpy())
                self.scores[key] = [a + b for a, b in zip(self.scores.get(key, [0] * len(bins)), bins)]
        self.reviews += total(functools.reduce(pc.or_, (pc.equal(decision, "review") for decision in decisions)))
        self.n_tokens += total(table["n_tokens"])
        self.n_tokens_dropped += total(table["n_tokens_dropped"])
        self.outside += table.num_rows - table["error"].null_count
        self.truncated += total(pc.greater(table["n_tokens_dropped"], 0))
        for one in rejected:
            kind = one.reason.split(":")[0].split(" '")[0]
            self.reasons[kind] = self.reasons.get(kind, 0) + 1
        self.labelled += table.num_rows
        self.quarantined += len(rejected)
        self.articles += table.num_rows + len(rejected)

    def check(self, n_rows: int) -> None:
        """Hold the counts against the rows that were read.

        Raises
        ------
        DataError
            If a row was neither labelled nor quarantined.
        """
        if self.labelled + self.quarantined != n_rows:
            raise DataError(
                f"{n_rows:,} rows were read, but {self.labelled:,} labelled + {self.quarantined:,} quarantined are "
                f"{self.labelled + self.quarantined:,}: please report this; use --fresh to start again"
            )
