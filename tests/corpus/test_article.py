import datetime
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tppo.corpus import InvalidRowError, Limits, Rejected, Span, article_from_row, text_id

LIMITS = Limits(max_chars=100, modus_keys=("illegal_migrant_work", "contract_marriage", "organ_trade", "scam"))


def read(default_id=None, **row):
    return article_from_row({"text": "Korban dipulangkan.", **row}, limits=LIMITS, default_id=default_id)


def test_a_row_with_only_text_is_an_article_with_nothing_else_known():
    article = read()
    known = {article.title, article.url, article.outlet, article.published_at, article.labels, article.tppo}
    assert known | {article.group, article.evidence} == {None}


def test_the_text_is_kept_as_it_came():
    assert read(text="  Korban\r\n\tpulang. ").text == "  Korban\r\n\tpulang. "


def test_unknown_columns_are_ignored():
    assert read(editor="Ady").text == "Korban dipulangkan."


@pytest.mark.parametrize("field", ["title", "url", "outlet", "group"])
def test_an_optional_field_loses_its_surrounding_blanks(field):
    assert getattr(read(**{field: "  a b "}), field) == "a b"


@pytest.mark.parametrize("field", ["title", "url", "outlet", "group"])
@pytest.mark.parametrize("empty", [None, "", "  ", float("nan")])
def test_an_empty_optional_field_is_unknown(field, empty):
    assert getattr(read(**{field: empty}), field) is None


# ids


@pytest.mark.parametrize(("given_id", "expected"), [("a1", "a1"), (" a1 ", "a1"), (7, "7"), (7.0, "7")])
def test_a_given_id_is_kept(given_id, expected):
    assert read(id=given_id, default_id="stem").id == expected


@pytest.mark.parametrize("empty", [None, "", "  ", float("nan")])
def test_a_missing_id_falls_back_on_the_default(empty):
    assert read(id=empty, default_id="stem").id == "stem"


def test_a_row_without_any_id_gets_the_digest_of_its_text():
    assert read().id == text_id("Korban dipulangkan.")


def test_the_digest_is_sixteen_hex_digits():
    assert re.fullmatch(r"[0-9a-f]{16}", text_id("Korban"))


def test_the_digest_does_not_change_between_versions():
    assert text_id("Korban  Dipulangkan\n") == "5a58439f7f557e85"


@given(st.lists(st.sampled_from(["Korban", "pulang", "ÉTAT", "straße", "ﬁ"]), min_size=1), st.data())
def test_the_digest_is_stable_under_blanks_and_case(words, data):
    blanks = st.sampled_from([" ", "  ", "\n", "\t", "\r\n", "\u00a0"])
    other = "".join(word.upper() + data.draw(blanks) for word in words)
    assert text_id(other) == text_id(" ".join(words))


def test_the_digest_tells_different_words_apart():
    assert text_id("Korban pulang") != text_id("Korban datang")


def test_an_equivalent_unicode_form_has_the_same_digest():
    assert text_id("caf\u00e9") == text_id("cafe\u0301")


# labels


@pytest.mark.parametrize("missing", [None, "", "  ", float("nan")])
def test_missing_labels_mean_unlabelled(missing):
    assert read(labels=missing).labels is None


@pytest.mark.parametrize("none", [[], (), "[]", np.array([], dtype=object)])
def test_an_empty_list_of_labels_means_none_of_them(none):
    assert read(labels=none).labels == ()


@pytest.mark.parametrize(
    "labels",
    [
        ["scam", "organ_trade"],
        ("scam", "organ_trade", "scam"),
        "scam,organ_trade",
        "scam; organ_trade;",
        '["scam", "organ_trade"]',
        np.array(["scam", "organ_trade"], dtype=object),
    ],
)
def test_labels_come_out_sorted_and_once_from_any_form(labels):
    assert read(labels=labels).labels == ("organ_trade", "scam")


def test_any_label_is_let_through_where_the_keys_are_not_known():
    assert article_from_row({"text": "a", "labels": ["x"]}, limits=Limits()).labels == ("x",)


# dates and flags


@pytest.mark.parametrize(
    "date",
    [
        "2023-06-21",
        " 2023-06-21 ",
        "2023-06-21T14:05:00+07:00",
        "2023-06-21T14:05:00Z",
        "2023-06-21 14:05",
        datetime.date(2023, 6, 21),
        datetime.datetime(2023, 6, 21, 14, 5, tzinfo=datetime.UTC),
    ],
)
def test_a_date_of_any_iso_form_is_kept_as_the_day(date):
    assert read(published_at=date).published_at == "2023-06-21"


@pytest.mark.parametrize("value", [True, "true", "TRUE", " yes ", 1, "1", 1.0, "ya", np.True_])
def test_a_flag_reads_as_true(value):
    assert read(tppo=value).tppo is True


@pytest.mark.parametrize("value", [False, "false", "No", 0, "0", 0.0, "tidak", np.False_])
def test_a_flag_reads_as_false(value):
    assert read(tppo=value).tppo is False


@pytest.mark.parametrize("value", [None, "", float("nan")])
def test_an_empty_flag_is_unknown(value):
    assert read(tppo=value).tppo is None


# evidence


def test_evidence_is_read_as_spans_of_the_text():
    row = [{"label": "scam", "start": 0, "end": 6}, {"label": "tppo_free", "start": 7, "end": 19}]
    article = article_from_row({"text": "Korban dipulangkan.", "evidence": row}, limits=Limits())
    assert article.evidence == (Span("scam", 0, 6), Span("tppo_free", 7, 19))


def test_evidence_is_read_from_json():
    assert read(evidence=json.dumps([{"label": "scam", "start": 0, "end": 6}])).evidence == (Span("scam", 0, 6),)


def test_empty_evidence_is_marked_as_none_stated():
    assert read(evidence=[]).evidence == ()


# rejections: each with its reason

REJECTIONS = {
    "no text column": (
        {"text": None, "judul": "a"},
        "no text: expected a non-empty column 'text'; columns: judul, text",
    ),
    "empty text": ({"text": ""}, "no text"),
    "blank text": ({"text": " \n\t"}, "no text"),
    "text not a number": ({"text": float("nan")}, "no text"),
    "text of another type": ({"text": 7}, "text must be a string, got int"),
    "oversize text": ({"text": "a" * 101}, "text is too long: at most 100 characters, got 101"),
    "NUL character": ({"text": "ab\0c"}, "text holds a NUL character at offset 2"),
    "lone surrogate": ({"text": "ab\udce9"}, "text holds lone surrogates"),
    "fractional id": ({"id": 1.5}, "id must be a string or an integer, got 1.5"),
    "infinite id": ({"id": float("inf")}, "id must be a string or an integer, got inf"),
    "boolean id": ({"id": True}, "id must be a string or an integer, got True"),
    "list as id": ({"id": ["a"]}, re.escape("id must be a string or an integer, got ['a']")),
    "oversize id": ({"id": "a" * 513}, "id must be at most 512 printable characters"),
    "id with a line break": ({"id": "a\nb"}, r"id must be at most 512 printable characters, got 'a\\nb'"),
    "date in words": (
        {"published_at": "Rabu 21 Juni"},
        "published_at must be an ISO date such as .*, got 'Rabu 21 Juni'",
    ),
    "impossible date": (
        {"published_at": "2023-02-30"},
        "published_at must be an ISO date such as .*, got '2023-02-30'",
    ),
    "unknown label": ({"labels": ["scan"]}, re.escape("unknown label 'scan'; did you mean 'scam'?")),
    "unknown label far from all": (
        {"labels": "zzz"},
        "unknown label 'zzz'; valid: contract_marriage, illegal_migrant_",
    ),
    "labels of another type": ({"labels": 3}, "labels must be a list of modus keys, got 3"),
    "labels as an object": ({"labels": {"scam": 1}}, "labels must be a list of modus keys, got {'scam': 1}"),
    "labels that are not strings": ({"labels": ["scam", 1]}, re.escape("labels must be a list of modus keys, got [")),
    "labels in broken JSON": ({"labels": '["scam"'}, "labels must be a JSON list of modus keys"),
    "flag in other words": ({"tppo": "mungkin"}, "tppo must be true or false, got 'mungkin'"),
    "evidence in broken JSON": ({"evidence": "[{"}, "evidence must be a JSON list"),
    "evidence without an end": ({"evidence": [{"label": "scam", "start": 0}]}, "evidence must be a list of"),
    "evidence as a number": ({"evidence": 5}, "evidence must be a list of"),
    "evidence past the text": (
        {"evidence": [{"label": "scam", "start": 0, "end": 20}]},
        re.escape("evidence must lie inside the text (0-19), got 0-20"),
    ),
    "empty evidence span": (
        {"evidence": [{"label": "scam", "start": 3, "end": 3}]},
        "evidence must lie inside the text",
    ),
    "negative evidence": (
        {"evidence": [{"label": "scam", "start": -2, "end": 3}]},
        "evidence must lie inside the text",
    ),
    "evidence for an unknown label": (
        {"evidence": [{"label": "scan", "start": 0, "end": 3}]},
        "unknown label 'scan'; did you mean 'scam'",
    ),
}


@pytest.mark.parametrize(("row", "reason"), REJECTIONS.values(), ids=REJECTIONS.keys())
def test_a_row_that_breaks_the_contract_is_refused_with_its_reason(row, reason):
    with pytest.raises(InvalidRowError, match=reason):
        read(**row)


def test_a_text_of_the_longest_length_is_let_through():
    assert len(read(text="a" * 100).text) == 100


def test_infinite_evidence_offsets_are_refused():
    with pytest.raises(InvalidRowError, match="evidence"):
        read(evidence=[{"label": "scam", "start": float("inf"), "end": 3}])


@pytest.mark.parametrize("field", ["labels", "evidence"])
def test_a_field_of_json_nested_too_deep_is_refused(field):
    with pytest.raises(InvalidRowError, match=field):
        read(**{field: "[" * 100_000})


@pytest.mark.parametrize("field", ["id", "title", "url", "outlet", "group"])
def test_a_field_with_lone_surrogates_is_refused(field):
    with pytest.raises(InvalidRowError, match=field):
        read(**{field: "a\ud800"})


def test_a_default_id_that_cannot_be_written_is_replaced_or_refused():
    try:
        identifier = read(default_id="caf\udce9").id
    except InvalidRowError:
        return
    assert identifier.encode("utf-8")


def test_a_rejection_is_written_as_a_quarantine_row():
    row = Rejected("a.jsonl:3", "no text", "7", "Kor").as_row()
    assert row == {"source": "a.jsonl:3", "id": "7", "reason": "no text", "snippet": "Kor"}
