"""Rows on their way through a cluster: labelled by an actor, checked for order and cut into batches on arrival."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tppo.classify import ModusModel
from tppo.corpus import Article, Rejected
from tppo.errors import DataError
from tppo.labelling.batch import Labelled, Labeller
from tppo.labelling.copies import Marks

__all__ = ["Arriving", "RowLabeller", "labelled_rows"]


class RowLabeller:
    """What an actor holds: the model, in a process of any node.

    Parameters
    ----------
    files : ray.ObjectRef of dict
        Relative name to content of the model's files.
    digest : str
        SHA-256 that they must have.
    model_name : str
        URI and digest, written into every row.
    marks : bool
        Whether to mark articles so that copies can be found.
    texts : bool
        Whether to hand the texts on.
    """

    def __init__(self, files: Any, digest: str, model_name: str, marks: bool, texts: bool) -> None:
        import ray

        threadpool_limits(1)
        self._texts = texts
        with tempfile.TemporaryDirectory(prefix="tppo-") as name:
            folder = Path(name) / "model"
            for relative, content in ray.get(files).items():
                path = folder / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._labeller = Labeller(ModusModel.load(folder, digest=digest), model_name, marks)

    def __call__(self, rows: Any) -> Any:
        """Label a table of `tppo.labelling.uris.row_schema`.

        Returns
        -------
        pyarrow.Table
            The columns of `output_schema`, null where a row is no article, and what is known of the row under names
            that begin with ``row_``: its number, where it stands, why it is no article, marks and counts of words.
        """
        import pyarrow as pa

        places = [i for i, reason in enumerate(rows["reason"].to_pylist()) if reason is None]
        articles = rows.take(places)
        watch = [i for i, wanted in enumerate(articles["watch"].to_pylist()) if wanted]
        found = self._labeller(articles.select(["id", "text", "group"]), watch)
        back = pa.array(_positions(places, rows.num_rows), pa.int64())
        watched = dict(zip((places[i] for i in watch), found.watched))
        out = rows.select(["row", "source", "reason", "snippet", "id", "group", *(["text"] if self._texts else [])])
        out = out.rename_columns([f"row_{name}" for name in out.column_names])
        labels = found.table.combine_chunks().take(back)
        for name, column in zip(labels.column_names, labels.columns):
            out = out.append_column(name, column)
        counts = [watched.get(i) for i in range(rows.num_rows)]
        out = out.append_column("row_watched", pa.array(counts, pa.list_(pa.int64())))
        if found.marks is not None:
            keys = pa.array([list(k) for k in found.marks.keys], pa.list_(pa.int64())).take(back)
            signatures = pa.array(found.marks.signatures, pa.binary()).take(back)
            out = out.append_column("row_keys", keys).append_column("row_signature", signatures)
        return out


def _positions(places: Sequence[int], n: int) -> list[int | None]:
    """Return for each of `n` rows its position among `places`, or None."""
    positions: list[int | None] = [None] * n
    for position, place in enumerate(places):
        positions[place] = position
    return positions


class Arriving:
    """Labelled rows as they arrive, kept until their batch is made.

    Parameters
    ----------
    tables : iterator of pyarrow.Table
        As `RowLabeller` returns them.
    done : int
        Number of the first row.
    """

    def __init__(self, tables: Iterator[Any], done: int) -> None:
        self._tables = tables
        self._waiting: list[Any] = []
        self.number = done

    def rows(self) -> Iterator[tuple[str, Article | Rejected]]:
        """Yield the rows in order, and check that none is missing or came twice."""
        for table in self._tables:
            self._waiting.append(table)
            names = ["row_row", "row_source", "row_reason", "row_id", "row_snippet", "row_group"]
            columns = table.select(names).to_pydict()
            texts = table["row_text"].to_pylist() if "row_text" in table.column_names else columns["row_snippet"]
            for (row, source, reason, identifier, snippet, group), text in zip(zip(*columns.values()), texts):
                if row != self.number:
                    raise DataError(f"Ray gave row {row:,} where row {self.number:,} was due: please report this")
                self.number += 1
                if reason is not None:
                    yield source, Rejected(source, reason, identifier, snippet)
                else:
                    yield source, Article(identifier, text, group=group)

    def take(self, n: int) -> Any:
        """Return the first `n` rows that were not taken yet."""
        import pyarrow as pa

        waiting = pa.concat_tables(self._waiting)
        self._waiting = [waiting.slice(n)]
        return waiting.slice(0, n)


def labelled_rows(rows: Any, places: list[int], schema: Any) -> Labelled:
    """Return some of the rows that `RowLabeller` returned as what a `Labeller` returns."""
    kept = rows.take(places).combine_chunks()
    marks = None
    if "row_keys" in rows.column_names:
        keys = [tuple(key) for key in kept["row_keys"].to_pylist()]
        marks = Marks(keys, kept["row_signature"].to_pylist())
    watched = [(n, new) for n, new in (w for w in kept["row_watched"].to_pylist() if w is not None)]
    return Labelled(kept.select(schema.names).cast(schema), marks, watched)
