import numpy as np
from tiny_corpus import Corpus

from tppo.topics import TopicModel, plots
from tppo.topics.trends import cross_table, merge_tree, period


def test_pages_are_whole_and_escape_text(corpus: Corpus, model: TopicModel) -> None:
    labels = model.assign(corpus.vectors)
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    numbers = [t.id for t in model.topics]
    table = cross_table(labels, [[evil]] * len(labels), numbers)
    pages = [
        plots.topic_map(model, corpus.vectors, labels, [evil] * len(labels)),
        plots.word_bars(model),
        plots.timeline(model, cross_table(labels, [["2023"]] * len(labels), numbers)),
        plots.hierarchy(model),
        plots.heatmap(model, table, "By province"),
    ]
    for page in pages:
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
        assert 'src="http' not in page
        assert "Plotly.newPlot" in page


def test_tables_count_articles() -> None:
    labels = np.array([0, 0, 1, -1])
    table = cross_table(labels, [["Riau"], [], ["Riau", "Bali"], ["Bali"]], [0, 1])
    assert table.values == ("Bali", "Riau")
    assert table.counts.tolist() == [[0, 1], [1, 1]]
    assert table.as_csv().splitlines()[0] == "topic,Bali,Riau"


def test_periods() -> None:
    assert period("2024-05-09", length="year") == ["2024"]
    assert period("2024-05-09", length="quarter") == ["2024-Q2"]
    assert period("2024-05-09", length="month") == ["2024-05"]
    assert period(None, length="year") == []


def test_the_tree_joins_all_topics(model: TopicModel) -> None:
    tree = merge_tree(model)
    assert tree.shape == (3, 4)
    assert tree[-1, 3] == 4
