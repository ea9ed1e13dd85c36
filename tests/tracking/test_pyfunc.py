"""The served model: a table in, the output contract out, a bad row answered with its error."""

import pandas as pd
import pytest

from small_corpus import articles, trained
from tppo.classify.table import column_names
from tppo.tracking.pyfunc import ServedModel, example, signature


@pytest.fixture(scope="module")
def served() -> ServedModel:
    return ServedModel(trained(), "sha256:abc")


def test_each_row_is_answered_in_order_with_the_output_contract(served: ServedModel) -> None:
    rows = articles(8)
    answer = served.predict(pd.DataFrame(rows)[["id", "text"]])
    assert list(answer.columns) == column_names(served.model.keys)
    assert answer["id"].tolist() == [row["id"] for row in rows]
    assert set(answer["model"]) == {"sha256:abc"}
    assert answer["error"].isna().all()


def test_the_answer_is_what_the_model_reads(served: ServedModel) -> None:
    rows = articles(8)
    answer = served.predict(pd.DataFrame(rows)[["text"]])
    readings = served.model.read([row["text"] for row in rows])
    for k, key in enumerate(readings.keys):
        assert answer[f"p_{key}"].tolist() == pytest.approx(readings.probabilities[:, k], abs=1e-6)
    assert [len(e) for e in answer["evidence"]] == [len(e) for e in readings.evidence]


def test_a_bad_row_is_answered_with_its_error_and_the_others_with_labels(served: ServedModel) -> None:
    first, last = (row["text"] for row in articles(2))
    answer = served.predict(pd.DataFrame({"id": ["a", "b", "c"], "text": [first, None, last]}))
    assert answer["error"].notna().tolist() == [False, True, False]
    assert answer["error"][1].startswith("no text")
    assert (answer["modus"][1], answer["evidence"][1]) == ([], [])
    assert answer["p_scam"][1] is None
    assert answer["p_scam"].notna().tolist() == [True, False, True]


def test_a_bad_row_changes_no_value_of_the_others(served: ServedModel) -> None:
    good = {"id": "a", "text": articles()[0]["text"]}
    alone = served.predict(pd.DataFrame([good])).to_dict("records")[0]
    beside = served.predict(pd.DataFrame([good, {"id": "b", "text": None}])).to_dict("records")[0]
    assert {key: (type(value), value) for key, value in beside.items()} == {
        key: (type(value), value) for key, value in alone.items()
    }


def test_a_bad_row_keeps_its_id(served: ServedModel) -> None:
    answer = served.predict(pd.DataFrame({"id": ["a", "b"], "text": ["Sapi dicuri.", None]}))
    assert answer["id"].tolist() == ["a", "b"]


def test_bad_rows_alone_are_answered(served: ServedModel) -> None:
    answer = served.predict(pd.DataFrame({"text": [None, ""]}))
    assert answer["error"].notna().all()
    assert list(answer.columns) == column_names(served.model.keys)


def test_a_table_without_text_is_answered_row_by_row(served: ServedModel) -> None:
    answer = served.predict(pd.DataFrame({"body": ["x"]}))
    assert "text" in answer["error"][0]


def test_the_signature_lists_the_columns_of_the_output_contract(served: ServedModel) -> None:
    keys = served.model.keys
    assert signature(keys).outputs.input_names() == column_names(keys)


def test_the_example_fits_the_signature(served: ServedModel) -> None:
    names = set(signature(served.model.keys).inputs.input_names())
    assert set(example().columns) <= names
    assert served.predict(example())["error"].isna().all()
