"""A batch of rows: every one comes out as a row of the table or as rejected, whatever brought it."""

import pyarrow as pa

from small_corpus import articles
from tppo.classify import ModusModel
from tppo.classify.table import column_names, rows
from tppo.labelling import label_rows, output_schema

ROWS = [{"id": row["id"], "text": row["text"], "group": row["group"]} for row in articles(12)]


def test_every_row_comes_out_labelled_or_rejected(model: ModusModel) -> None:
    mixed = [*ROWS[:3], {"id": "bad", "text": ""}, *ROWS[3:]]
    found = label_rows(model, mixed, model_name="m")
    assert found.table["id"].to_pylist() == [row["id"] for row in ROWS]
    assert [(r.source, r.id) for r in found.rejected] == [("row 4", "bad")]


def test_arrow_tables_and_dicts_give_the_same_table(model: ModusModel) -> None:
    from_dicts = label_rows(model, ROWS, model_name="m").table
    assert label_rows(model, pa.Table.from_pylist(ROWS), model_name="m").table.equals(from_dicts)
    assert label_rows(model, pa.RecordBatch.from_pylist(ROWS), model_name="m").table.equals(from_dicts)


def test_the_table_holds_what_the_served_rows_hold(model: ModusModel) -> None:
    found = label_rows(model, ROWS, model_name="m").table
    readings = model.read([row["text"] for row in ROWS])
    ids, groups = [row["id"] for row in ROWS], [row["group"] for row in ROWS]
    assert found.to_pylist() == rows(readings, ids=ids, groups=groups, model="m")


def test_a_batch_without_articles_gives_an_empty_table_of_the_schema(model: ModusModel) -> None:
    found = label_rows(model, [{"id": "x"}], model_name="m")
    assert found.table.num_rows == 0
    assert found.table.schema == output_schema(model.keys)
    assert found.table.column_names == column_names(model.keys)
    assert len(found.rejected) == 1


def test_sources_say_where_a_rejected_row_stood(model: ModusModel) -> None:
    found = label_rows(model, [{"text": 5}], model_name="m", sources=["a.parquet:17"])
    assert found.rejected[0].source == "a.parquet:17"
    assert "text must be a string, got int" in found.rejected[0].reason
