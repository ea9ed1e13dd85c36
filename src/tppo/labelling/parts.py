"""Write a part of the output as Parquet, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["write_part"]

# What a spreadsheet takes for the beginning of a formula, full-width forms included.
_FORMULA = "=+\\-@＝＋－＠"
_STARTS = re.compile(rf"[\t\r\n]|\s*[{_FORMULA}]")
# Behind one of these a spreadsheet that splits at it begins a new cell, whatever quotes stand around.
_SPLIT = re.compile(rf"([,;|\t\r\n]\s*)([{_FORMULA}])")


def write_part(table: Any, path: Path, *, format: str, bom: bool = False) -> None:
    """Write a table.

    Parameters
    ----------
    table : pyarrow.Table
        Of `tppo.labelling.output_schema`.
    path : Path
        New file.
    format : {"parquet", "jsonl", "csv"}
        Lists stand in CSV cells as JSON.
    bom : bool
        Begin CSV with a byte order mark, by which Excel knows UTF-8.
    """
    if format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, path, compression="zstd")
    elif format == "jsonl":
        with path.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(table))
    else:
        with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(table.column_names)
            writer.writerows([_cell(value) for value in row.values()] for row in _rows(table))


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _cell(value: Any) -> Any:
    """Return a CSV cell: lists as JSON, and nothing that a spreadsheet would run as a formula.

    Where a formula could begin, text gets an apostrophe before it; JSON keeps its meaning, by an escape.
    """
    if isinstance(value, list):
        return _SPLIT.sub(lambda m: f"{m[1]}\\u{ord(m[2]):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, str):
        split = _SPLIT.sub(r"\1'\2", value)
        return "'" + split if _STARTS.match(value) else split
    return value
