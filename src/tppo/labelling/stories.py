"""Put a labelled batch together: the group of every article, and what copies share with the first of their story."""

from __future__ import annotations

from typing import Any

from tppo.labelling.batch import Labelled
from tppo.labelling.index import Index
from tppo.labelling.pool import Batch

__all__ = ["with_stories"]


def with_stories(batch: Batch, labelled: Labelled, index: Index, *, share: bool) -> tuple[Any, int]:
    """Name the story of every article of a batch, and give copies the labels of its first article.

    Parameters
    ----------
    batch : Batch
        The batches before it must have been put together already.
    labelled : Labelled
        With marks.
    index : Index
        What is known of the articles before.
    share : bool
        Give copies the probabilities and decisions of the first, instead of their own. Evidence is always quoted from
        the article itself.

    Returns
    -------
    table : pyarrow.Table
        All articles of the batch in the order of the input, ``group`` filled in.
    n_copies : int
        How many of them are copies.
    """
    import pyarrow as pa

    assert labelled.marks is not None
    table = labelled.table
    groups, firsts = [], []
    ids, given = table["id"].to_pylist(), table["group"].to_pylist()
    for row, identifier, group, keys, signature in zip(
        batch.rows, ids, given, labelled.marks.keys, labelled.marks.signatures
    ):
        story = index.story_of(keys, signature) if keys else None
        if story is None:
            name = group or identifier
            if keys:
                index.add_story(row, name, keys, signature)
        groups.append(group or (story[1] if story else identifier))
        firsts.append(None if story is None else story[0])
    n_copies = sum(first is not None for first in firsts) + len(batch.repeats)
    table = table.set_column(table.column_names.index("group"), "group", pa.array(groups, pa.string()))
    if not share:
        return table, n_copies
    rows: dict[int, dict[str, Any]] = {}
    for row, content, first in zip(batch.rows, table.to_pylist(), firsts):
        rows[row] = content if first is None else _shared(content, index.labels_of(first))
        index.add_labels(row, rows[row])
    for row, first, identifier, group in batch.repeats:
        labels = index.labels_of(first)
        rows[row] = {**labels, "id": identifier, "group": group or labels["group"]}
    return pa.Table.from_pylist([rows[row] for row in sorted(rows)], schema=table.schema), n_copies


def _shared(own: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """Return a copy's row with the labels of the first article of its story."""
    kept = ("id", "group", "evidence", "n_tokens", "n_tokens_dropped", "model", "error")
    row = {name: own[name] if name in kept else first[name] for name in own}
    row["evidence"] = [e for e in own["evidence"] if first[f"decision_{e['label']}"] == "yes"]
    return row
