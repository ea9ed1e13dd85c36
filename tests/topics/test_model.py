import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from tiny_corpus import SUBJECTS, Corpus, build

from tppo.embedding import StaticEncoder
from tppo.errors import DataError, TppoError, UsageError
from tppo.topics import OUTLIER, TopicModel, TopicSettings, article_vectors
from tppo.topics.consensus import subsamples


def test_topics_are_the_subjects(corpus: Corpus, model: TopicModel) -> None:
    assert adjusted_rand_score(corpus.subject, model.assign(corpus.vectors)) == 1.0
    said = [set(text.lower().replace(".", "").split()) for text in SUBJECTS.values()]
    assert all(sum(set(topic.words) <= words for words in said) == 1 for topic in model.topics)
    assert sorted(t.size for t in model.topics) == [25] * 4
    assert all(t.name and len(t.representatives) == 5 for t in model.topics)


def test_article_vectors_are_means_of_windows(corpus: Corpus) -> None:
    assert corpus.windows.vectors is not None
    rows = corpus.windows.article == 7
    np.testing.assert_allclose(corpus.vectors[7], corpus.windows.vectors[rows].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("n_topics", [3, None])
def test_same_seed_gives_the_same_bits(corpus: Corpus, n_topics: int | None) -> None:
    settings = TopicSettings(n_topics=n_topics, n_runs=4)
    a, b = (TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings) for _ in range(2))
    assert a.centroids.tobytes() == b.centroids.tobytes()
    assert a.topics == b.topics
    np.testing.assert_array_equal(a.assign(corpus.vectors), b.assign(corpus.vectors))


def test_assignment_does_not_depend_on_the_company(corpus: Corpus, model: TopicModel) -> None:
    whole = model.assign(corpus.vectors)
    single = [int(model.assign(corpus.vectors[i : i + 1])[0]) for i in range(0, 100, 9)]
    assert single == whole[::9].tolist()


def test_number_of_topics_is_found(corpus: Corpus) -> None:
    found = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=TopicSettings(n_runs=5))
    assert found.tried
    assert 4 <= len(found.topics) <= 8


def test_the_number_chosen_on_subsamples_is_the_same(corpus: Corpus) -> None:
    settings = TopicSettings(n_runs=10)
    chosen = []
    for rows in subsamples(len(corpus.texts), n_draws=3):
        texts, ids = [corpus.texts[i] for i in rows], [corpus.ids[i] for i in rows]
        chosen.append(len(TopicModel.fit(corpus.vectors[rows], texts, ids, settings=settings).topics))
    assert set(chosen) == {4}


def test_outliers_are_the_share_asked_for(corpus: Corpus) -> None:
    settings = TopicSettings(n_topics=4, n_runs=4, outliers=0.05)
    labels = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings).assign(corpus.vectors)
    assert 0 < (labels == OUTLIER).mean() <= 0.05


def test_windows_of_an_article_may_hold_several_topics(model: TopicModel) -> None:
    mixed = build([SUBJECTS["sepak"] + " " + SUBJECTS["beras"], ""], ["mixed", "empty"])
    shares = model.distribution(mixed.windows)
    assert np.count_nonzero(shares[0]) >= 2
    np.testing.assert_allclose(shares.sum(axis=1), [1.0, 0.0], atol=1e-6)


def test_adding_articles_keeps_ids(corpus: Corpus, model: TopicModel) -> None:
    before = model.assign(corpus.vectors)
    labels = model.add(corpus.vectors[:30], corpus.texts[:30], [f"n{i}" for i in range(30)])
    np.testing.assert_array_equal(labels, before[:30])
    np.testing.assert_array_equal(model.assign(corpus.vectors), before)
    assert sum(t.size for t in model.topics) == 130


def test_adding_a_few_articles_keeps_names_and_words(corpus: Corpus, model: TopicModel) -> None:
    before = [(t.id, t.name, t.words) for t in model.topics]
    model.add(corpus.vectors[:2], corpus.texts[:2], ["n0", "n1"])
    assert [(t.id, t.name, t.words) for t in model.topics] == before


def test_reducing_outliers_changes_the_model(corpus: Corpus) -> None:
    settings = TopicSettings(n_topics=4, n_runs=4, outliers=0.2, min_df=2)
    model = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings)
    assert (model.assign(corpus.vectors) == OUTLIER).sum() > 10
    labels = model.reduce_outliers(corpus.vectors, corpus.texts, corpus.ids, share=0.05)
    assert 0 < (labels == OUTLIER).sum() <= 5
    labels = model.reduce_outliers(corpus.vectors, corpus.texts, corpus.ids)
    assert (labels != OUTLIER).all()
    np.testing.assert_array_equal(model.assign(corpus.vectors), labels)
    whole = TopicModel.fit(
        corpus.vectors, corpus.texts, corpus.ids, settings=TopicSettings(n_topics=4, n_runs=4, outliers=0.0, min_df=2)
    )
    assert [t.size for t in model.topics] == [t.size for t in whole.topics]
    np.testing.assert_array_equal(model.counts, whole.counts)
    with pytest.raises(UsageError, match="got 1"):
        model.reduce_outliers(corpus.vectors, corpus.texts, corpus.ids, share=1)


def test_a_new_group_becomes_a_topic_with_a_new_id(corpus: Corpus) -> None:
    settings = TopicSettings(n_topics=4, n_runs=4, outliers=0.02)
    model = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings)
    old = model.assign(corpus.vectors)
    fresh = build(["Gempa bumi mengguncang gunung api. Lava dan abu vulkanik menyembur."] * 12, ["gempa"] * 12)
    labels = model.add(fresh.vectors, fresh.texts, fresh.ids)
    if (labels == 4).all():
        assert model.lineage[-1] == {"event": "new", "topic": 4, "from": []}
    kept = model.assign(corpus.vectors)
    assert (kept == old)[old != OUTLIER].mean() > 0.9


def test_merge_keeps_the_lowest_id_and_says_so(corpus: Corpus, model: TopicModel) -> None:
    first, second = model.topics[1], model.topics[3]
    assert model.merge([1, 3]) == 1
    assert [t.id for t in model.topics] == [0, 1, 2]
    assert set(model.topics[1].words) & {*first.words, *second.words}
    assert model.topics[1].size == first.size + second.size
    assert model.lineage == [{"event": "merge", "topic": 1, "from": [1, 3]}]
    with pytest.raises(UsageError, match=r"\[1, 9\]"):
        model.merge([1, 9])


@pytest.mark.parametrize("seeding", ["zero-shot", "guided"])
def test_seeds_from_prototypes(corpus: Corpus, seeding: str) -> None:
    encoder = StaticEncoder()
    seeds = {"Penjualan organ": encoder.encode(["Sindikat menjual ginjal pendonor.", "Makelar organ dan ginjal."])}
    settings = TopicSettings(n_topics=3, n_runs=4, seeding=seeding, seed_similarity=0.4, outliers=0.0)
    model = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings, seeds=seeds)
    labels = model.assign(corpus.vectors)
    if seeding == "zero-shot":
        named = next(t for t in model.topics if t.name == "Penjualan organ")
        assert {s for s, label in zip(corpus.subject, labels) if label == named.id} == {"ginjal"}
    with pytest.raises(UsageError, match="needs seeds"):
        TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings)


def test_one_sentence_brings_an_article_near_a_seed() -> None:
    filler = SUBJECTS["beras"] + " " + SUBJECTS["sepak"]
    texts = [f"{filler} Sindikat menjual ginjal pendonor." if i < 6 else filler for i in range(30)]
    mixed = build(texts, texts)
    seeds = {"Penjualan organ": StaticEncoder().encode(["Sindikat menjual ginjal pendonor."])}
    settings = TopicSettings(n_topics=2, n_runs=4, seeding="zero-shot", seed_similarity=0.8, outliers=0.0)
    by_window, by_article = (
        TopicModel.fit(mixed.vectors, texts, mixed.ids, settings=settings, seeds=seeds, windows=windows)
        for windows in (mixed.windows, None)
    )
    assert [t.seed for t in by_window.topics].count("Penjualan organ") == 1
    assert all(t.seed is None for t in by_article.topics)


@pytest.mark.parametrize(
    "texts",
    [
        ["Ginjal dijual.", "Beras naik.", "Gol dicetak."],
        ["Polisi menangkap perekrut pekerja migran di Batam."] * 1000,
        ["", "", "Kapal tenggelam di laut."] * 20,
        ["Ginjal dijual. " * 20_000, *["Beras naik di pasar."] * 20, *["Gol di stadion."] * 20],
        ["!!!", "Beras naik.", "Gol."],
    ],
    ids=["three", "identical", "empty", "giant", "no-words"],
)
def test_odd_corpora_give_a_result(texts: list[str]) -> None:
    odd = build(texts, texts)
    model = TopicModel.fit(odd.vectors, odd.texts, odd.ids, settings=TopicSettings(n_runs=4))
    labels = model.assign(odd.vectors)
    assert len(labels) == len(texts)
    assert (labels[[not t for t in texts]] == OUTLIER).all()
    assert len(model.topics) >= 1


def test_too_many_topics_or_too_few_articles_are_refused(corpus: Corpus) -> None:
    with pytest.raises(DataError, match=r"at most half the articles with text \(100 of 200\), got 500"):
        TopicModel.fit(
            np.repeat(corpus.vectors, 2, axis=0), corpus.texts * 2, corpus.ids * 2, settings=TopicSettings(n_topics=500)
        )
    nothing = build(["", " "], ["", ""])
    with pytest.raises(DataError, match="at least 2 articles"):
        TopicModel.fit(nothing.vectors, nothing.texts, nothing.ids)
    with pytest.raises(TppoError, match="expected one vector"):
        TopicModel.fit(corpus.vectors, corpus.texts[:3], corpus.ids)


def test_vectors_must_be_encoded(corpus: Corpus) -> None:
    from dataclasses import replace

    with pytest.raises(UsageError, match="not encoded"):
        article_vectors(replace(corpus.windows, vectors=None))
