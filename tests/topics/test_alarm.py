import json

import numpy as np
import pytest
from tiny_corpus import Corpus, build

from tppo.errors import DataError
from tppo.topics.alarm import as_json, as_jsonl, find_alarms, growth


def labels(corpus: Corpus, hidden: str) -> dict[str, np.ndarray]:
    subject = np.array(corpus.subject)
    return {name: subject == name for name in sorted(set(corpus.subject)) if name != hidden}


@pytest.mark.parametrize("hidden", ["ginjal", "kapal", "sepak", "beras"])
def test_a_hidden_modus_is_the_first_alarm(corpus: Corpus, hidden: str) -> None:
    everything = np.ones(len(corpus.texts), dtype=bool)
    alarms = find_alarms(corpus.windows, corpus.texts, corpus.ids, tppo=everything, modus=labels(corpus, hidden))
    target = {i for i, s in zip(corpus.ids, corpus.subject) if s == hidden}
    assert set(alarms[0].articles) == target
    assert alarms[0].nearest_modus in set(corpus.subject) - {hidden}
    assert all(exemplar in " ".join(corpus.texts) for exemplar in alarms[0].exemplars)


def test_no_alarm_where_everything_is_known(corpus: Corpus) -> None:
    everything = np.ones(len(corpus.texts), dtype=bool)
    assert find_alarms(corpus.windows, corpus.texts, corpus.ids, tppo=everything, modus=labels(corpus, "")) == []


def test_articles_to_review_are_candidates(corpus: Corpus) -> None:
    subject = np.array(corpus.subject)
    known = labels(corpus, "ginjal")
    options = {"tppo": subject != "ginjal", "modus": known, "seed": 0}
    assert find_alarms(corpus.windows, corpus.texts, corpus.ids, **options) == []
    found = find_alarms(corpus.windows, corpus.texts, corpus.ids, review=subject == "ginjal", **options)
    assert {i[1:] for i in found[0].articles} == {str(n) for n in np.flatnonzero(subject == "ginjal")}


def test_growth_is_the_change_of_the_share() -> None:
    dates = [f"20{10 + i // 10}-01-0{1 + i % 9}" for i in range(100)]
    members = np.arange(100) >= 70
    ratio, low = growth(dates, members)
    assert ratio > low > 1
    assert growth(dates, ~members)[0] < 1
    assert np.isnan(growth([None] * 100, members)[0])


def test_the_bound_of_growth_holds_for_few_dates() -> None:
    dates = [f"20{10 + i}-01-01" for i in range(20)]
    members = np.array([i in (2, 11, 14, 15, 17, 19) for i in range(20)])
    ratio, low = growth(dates, members)
    # Five of six in the later half: a 95 % Clopper-Pearson bound of 0.359 for the share.
    assert low == pytest.approx(0.3588 / (1 - 0.3588), abs=1e-3)
    assert low < 1 < ratio
    assert np.isnan(growth(["2024-01-01"] * 20, members)[0])


def test_genre_does_not_make_a_group() -> None:
    genres = ["Jaksa membacakan dakwaan di sidang.", "Kapolres memberi keterangan pers.", "Rapat membahas anggaran."]
    known = [f"{g} Kapal mengangkut pekerja lewat laut." for g in genres] * 12
    new = [f"{g} Pendonor menjual ginjal di rumah sakit." for g in genres] * 12
    rest = [f"{g} Bayi diadopsi tanpa surat dari bidan." for g in genres] * 12
    texts = [*known, *new, *rest]
    odd = build(texts, texts)
    alarms = find_alarms(
        odd.windows, odd.texts, odd.ids, tppo=np.ones(len(texts), dtype=bool),
        modus={"kapal": np.arange(len(texts)) < len(known)}, n_groups=2,
    )  # fmt: skip
    assert {frozenset(a.articles) for a in alarms} == {
        frozenset(odd.ids[len(known) : len(known) + len(new)]),
        frozenset(odd.ids[len(known) + len(new) :]),
    }
    assert all("jaksa" not in a.words and "rapat" not in a.words for a in alarms)


def test_only_growing_groups(corpus: Corpus) -> None:
    everything = np.ones(len(corpus.texts), dtype=bool)
    for late, found in (("ginjal", 1), ("kapal", 0)):
        dates = [
            "2024-05-01" if s == late else "2020-01-01" if i % 2 else "2023-01-01" for i, s in enumerate(corpus.subject)
        ]
        alarms = find_alarms(
            corpus.windows, corpus.texts, corpus.ids, tppo=everything, modus=labels(corpus, "ginjal"), dates=dates,
            only_growing=True,
        )  # fmt: skip
        assert min(len(alarms), 1) == found


def test_the_export_can_be_labelled(corpus: Corpus) -> None:
    everything = np.ones(len(corpus.texts), dtype=bool)
    alarms = find_alarms(corpus.windows, corpus.texts, corpus.ids, tppo=everything, modus=labels(corpus, "beras"))
    rows = [json.loads(line) for line in as_jsonl(alarms, dict(zip(corpus.ids, corpus.texts))).splitlines()]
    assert len(rows) == sum(len(a.articles) for a in alarms)
    assert {"id", "text", "labels", "alarm", "nearest_modus", "growth"} <= set(rows[0])
    assert rows[0]["growth"] is None
    (summary,) = json.loads(as_json(alarms))
    assert summary["growth"] is None
    assert summary["articles"] == [row["id"] for row in rows]


def test_labels_must_fit(corpus: Corpus) -> None:
    with pytest.raises(DataError, match="100 texts"):
        find_alarms(corpus.windows, corpus.texts, corpus.ids, tppo=np.ones(3, dtype=bool), modus={})
