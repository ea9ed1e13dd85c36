import numpy as np
import pytest
from tiny_corpus import Corpus, build

from tppo.errors import DataError
from tppo.topics import OUTLIER, TopicModel, TopicSettings
from tppo.topics.interop import to_bertopic

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
def test_a_bertopic_assigns_the_same_topics(corpus: Corpus) -> None:
    settings = TopicSettings(n_topics=4, n_runs=4, outliers=0.05, min_df=2)
    model = TopicModel.fit(corpus.vectors, corpus.texts, corpus.ids, settings=settings)
    theirs, ids = to_bertopic(model, corpus.texts, corpus.vectors)
    labels = model.assign(corpus.vectors)
    assert sorted(ids.values()) == [OUTLIER, 0, 1, 2, 3]
    assert [ids[b] for b in theirs.topics_] == labels.tolist()
    fresh = build([*corpus.texts[::7], "Gempa mengguncang gunung. Lava menyembur."], corpus.ids)
    numbers, _ = theirs.transform(fresh.texts, fresh.vectors)
    assert [ids[int(b)] for b in numbers] == model.assign(fresh.vectors).tolist()
    for number, topic in ids.items():
        if topic != OUTLIER:
            assert [w for w, _ in theirs.get_topic(number)] == list(model.topics[topic].words)


def test_every_topic_needs_an_article(corpus: Corpus, model: TopicModel) -> None:
    with pytest.raises(DataError, match="without an article of"):
        to_bertopic(model, corpus.texts[:3], corpus.vectors[:3])
    with pytest.raises(DataError, match="expected 100 texts"):
        to_bertopic(model, corpus.texts[:3], np.asarray(corpus.vectors))
