"""One batch of articles, labelled: what every engine calls, wherever the rows come from and the table goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tppo.classify import ModusModel
from tppo.classify.table import column_names, columns
from tppo.corpus import Article, Limits, Rejected, admit_row
from tppo.embedding.terms import words
from tppo.labelling.copies import Marks, marks_of

__all__ = ["Labelled", "LabelledBatch", "Labeller", "label_rows", "output_schema"]


@dataclass(frozen=True)
class LabelledBatch:
    """What became of a batch of rows.

    Parameters
    ----------
    table : pyarrow.Table
        One row per article in the order of the input, with the columns of `output_schema`.
    rejected : list of Rejected
        The rows that are no articles, with their reasons. Table and list hold every row of the input between them.
    """

    table: Any
    rejected: list[Rejected]


def output_schema(keys: Sequence[str]) -> Any:
    """Return the Arrow schema of the output for the given labels (modus first, the context label last)."""
    import pyarrow as pa

    special = {
        "modus": pa.list_(pa.string()),
        "evidence": pa.list_(_evidence_type()),
        keys[-1]: pa.bool_(),
        "n_tokens": pa.int64(),
        "n_tokens_dropped": pa.int64(),
        **{f"p_{key}": pa.float64() for key in keys},
    }
    return pa.schema([(name, special.get(name, pa.string())) for name in column_names(keys)])


def _evidence_type() -> Any:
    """Return the Arrow type of one quoted sentence."""
    import pyarrow as pa

    whole = pa.int64()
    return pa.struct(
        [("label", pa.string()), ("start", whole), ("end", whole), ("text", pa.string()), ("score", pa.float64())]
    )


@dataclass(frozen=True)
class Labelled:
    """What a `Labeller` makes of a batch.

    Parameters
    ----------
    table : pyarrow.Table
        One row per article, of `output_schema`.
    marks : Marks or None
        By which copies are known, if they are looked for.
    watched : list of (int, int)
        Per article watched for drift its running words, and those of them that training did not know.
    """

    table: Any
    marks: Marks | None
    watched: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Labeller:
    """A model and what is wanted of it: what a worker of any engine holds, and calls with one batch after the other.

    Parameters
    ----------
    model : ModusModel
        What labels.
    model_name : str
        URI and digest, written into every row.
    marks : bool
        Whether to mark articles so that copies can be found.
    """

    model: ModusModel
    model_name: str
    marks: bool = False

    def __call__(self, articles: Any, watch: Sequence[int] = ()) -> Labelled:
        """Label a batch.

        Parameters
        ----------
        articles : pyarrow.RecordBatch or pyarrow.Table
            Columns ``id``, ``text`` and ``group`` of articles that were let in.
        watch : sequence of int
            Positions of the articles to watch for drift from the training articles.
        """
        import pyarrow as pa

        model = self.model
        fields = articles.to_pydict()
        clean = model.clean(fields["text"])
        readings = model.read(fields["text"], clean=clean)
        found = columns(readings, ids=fields["id"], groups=fields["group"], model=self.model_name)
        return Labelled(
            table=pa.Table.from_pydict(found, schema=output_schema(model.keys)),
            marks=marks_of([c.text for c in clean]) if self.marks else None,
            watched=[self._count_words(clean[i].text) for i in watch],
        )

    def _count_words(self, text: str) -> tuple[int, int]:
        domain = self.model.domain
        tokens = words(text) if domain is not None else []
        return len(tokens), sum(word not in domain.known for word in tokens) if domain is not None else 0


def label_rows(
    model: ModusModel,
    rows: Any,
    *,
    model_name: str,
    sources: Iterable[str] | None = None,
    limits: Limits | None = None,
) -> LabelledBatch:
    """Label the rows of any table.

    Parameters
    ----------
    model : ModusModel
        What labels.
    rows : pyarrow.Table, pyarrow.RecordBatch or sequence of mapping
        Rows of the Article contract; columns that it does not know are ignored.
    model_name : str
        URI and digest, written into every row.
    sources : iterable of str, optional
        Where each row stands, for the quarantine; ``row 1``, ``row 2`` … by default.
    limits : Limits, optional
        What the door lets through.

    Returns
    -------
    LabelledBatch
        Table and rejected rows. Ids are not compared with those of other rows: a batch does not know them.
    """
    import pyarrow as pa

    records: Sequence[Mapping[str, Any]] = rows.to_pylist() if hasattr(rows, "to_pylist") else list(rows)
    places = list(sources) if sources is not None else [f"row {n}" for n in range(1, len(records) + 1)]
    outcomes = [admit_row(row, source=place, limits=limits) for row, place in zip(records, places, strict=True)]
    articles = [a for a in outcomes if isinstance(a, Article)]
    rejected = [r for r in outcomes if isinstance(r, Rejected)]
    fields = {"id": [a.id for a in articles], "text": [a.text for a in articles], "group": [a.group for a in articles]}
    batch = pa.table(fields, schema=pa.schema([(name, pa.string()) for name in fields]))
    return LabelledBatch(Labeller(model, model_name)(batch).table, rejected)
