"""Interactive plots of a topic model: self-contained HTML pages that open offline; article text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tppo.embedding import FloatMatrix, IntVector
from tppo.topics.base import OUTLIER, Topic
from tppo.topics.model import TopicModel
from tppo.topics.trends import CrossTable, merge_tree
from tppo.topics.words import class_tf_idf

__all__ = ["heatmap", "hierarchy", "timeline", "topic_map", "word_bars"]

# Okabe and Ito's colours, told apart by colour-blind readers.
_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#7F3C8D",
    "#8C564B",
    "#3A7D44",
    "#B5651D",
)
_SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up")
_MAX_POINTS = 3000
_COLUMNS = 4


def _colour(position: int) -> str:
    return _COLOURS[position % len(_COLOURS)]


def _symbol(position: int) -> str:
    return _SYMBOLS[position // len(_COLOURS) % len(_SYMBOLS)]


def _label(model: TopicModel, position: int) -> str:
    topic = model.topics[position]
    return f"{topic.id}: {escape(topic.name)}"


def _page(figure: Any, title: str, *, height: int) -> str:
    """Return a figure as an HTML page that needs no other file."""
    figure.update_layout(
        template="plotly_white", title=title, height=height, margin={"l": 60, "r": 30, "t": 60, "b": 50}
    )
    return str(figure.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False}))


def topic_map(model: TopicModel, vectors: FloatMatrix, labels: IntVector, titles: Sequence[str]) -> str:
    """Return a page with every article as a point, near those of its topic; at most 3,000 are drawn.

    Parameters
    ----------
    model : TopicModel
        The topics.
    vectors : ndarray of shape (n_articles, dimension), float32
        The articles.
    labels : ndarray of shape (n_articles,), int64
        Their topic ids.
    titles : sequence of str, length n_articles
        Shown on hovering.
    """
    import plotly.graph_objects as go

    points = model.reduction.apply(vectors)
    step = max(1, -(-len(points) // _MAX_POINTS))
    shown = np.arange(0, len(points), step)
    flat = _plane(points[shown], labels[shown])
    figure = go.Figure()
    for position, number in [*enumerate(t.id for t in model.topics), (-1, OUTLIER)]:
        rows = np.flatnonzero(labels[shown] == number)
        if len(rows):
            figure.add_scattergl(
                x=flat[rows, 0].round(4),
                y=flat[rows, 1].round(4),
                mode="markers",
                name="no topic" if number == OUTLIER else _label(model, position),
                marker={
                    "size": 5,
                    "opacity": 0.7,
                    "color": "#BBBBBB" if number == OUTLIER else _colour(position),
                    "symbol": "circle-open" if number == OUTLIER else _symbol(position),
                },
                text=[escape(titles[int(shown[r])][:120]) for r in rows],
                hovertemplate="%{text}<extra></extra>",
            )
            if number != OUTLIER:
                _name_at(figure, flat[rows], model.topics[position], _colour(position))
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return _page(figure, "Topic map: each point is an article; near points are alike", height=780)


def _name_at(figure: Any, points: FloatMatrix, topic: Topic, colour: str) -> None:
    """Write a topic's first words where most of its points lie."""
    x, y = np.median(points, axis=0)
    figure.add_annotation(
        x=float(x), y=float(y), text=f"<b>{escape(' · '.join(topic.words[:2]) or topic.name)}</b>", showarrow=False,
        font={"size": 12, "color": colour}, bgcolor="rgba(255,255,255,0.75)",
    )  # fmt: skip


def _plane(points: FloatMatrix, labels: IntVector) -> FloatMatrix:
    """Return two coordinates per point, shape (n, 2): t-SNE, or the first two directions of a small corpus."""
    if len(points) < 60:
        return np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))[:, :2]
    from sklearn.manifold import TSNE

    tsne = TSNE(2, init="random", random_state=0, perplexity=30, max_iter=300, n_jobs=1)
    noise = np.random.default_rng(0).normal(scale=1e-4, size=points.shape).astype(np.float32)
    # One thread: with more, the layout depends on their timing, and on a busy machine they wait for one another.
    with threadpool_limits(1):
        return np.asarray(tsne.fit_transform(points + noise), dtype=np.float32)


def word_bars(model: TopicModel) -> str:
    """Return a page with the words of each topic and their weights."""
    import plotly.graph_objects as go

    figure = _panels(model)
    weights = class_tf_idf(model.counts)
    column_of = {word: i for i, word in enumerate(model.vocabulary)}
    for i, topic in enumerate(model.topics):
        shown = topic.words[::-1]
        bars = go.Bar(
            x=[round(float(weights[i, column_of[w]]), 4) for w in shown],
            y=[escape(w) for w in shown],
            orientation="h",
            marker={"color": _colour(i)},
            showlegend=False,
        )
        figure.add_trace(bars, row=i // _COLUMNS + 1, col=i % _COLUMNS + 1)
    figure.update_xaxes(showticklabels=False)
    return _page(figure, "Words of the topics (weight: class-based TF-IDF)", height=_height(model, 230))


def timeline(model: TopicModel, table: CrossTable) -> str:
    """Return a page with a panel per topic: its share of the articles of each period, counts on hovering."""
    figure = _panels(model)
    total = np.maximum(table.counts.sum(axis=0), 1)
    for i in range(len(model.topics)):
        figure.add_scatter(
            x=list(table.values), y=(table.counts[i] / total).round(4).tolist(), customdata=table.counts[i].tolist(),
            mode="lines", fill="tozeroy", line={"color": _colour(i)}, showlegend=False,
            hovertemplate="%{x}: %{customdata} articles, %{y:.0%}<extra></extra>",
            row=i // _COLUMNS + 1, col=i % _COLUMNS + 1,
        )  # fmt: skip
    figure.update_xaxes(type="category", nticks=6)
    figure.update_yaxes(matches="y", tickformat=".0%", rangemode="tozero")
    title = "Topics over time: share of the period's articles (published, else the date of the event)"
    return _page(figure, title, height=_height(model, 180))


def _panels(model: TopicModel) -> Any:
    """Return a figure with one panel per topic, titled with its name and size."""
    from plotly.subplots import make_subplots

    titles = [f"{_label(model, i)} ({t.size:,})" for i, t in enumerate(model.topics)]
    rows = -(-len(titles) // _COLUMNS)
    figure = make_subplots(rows, _COLUMNS, subplot_titles=titles, horizontal_spacing=0.09, vertical_spacing=0.25 / rows)
    figure.update_annotations(font_size=12)
    return figure


def _height(model: TopicModel, panel: int) -> int:
    return 120 + panel * -(-len(model.topics) // _COLUMNS)


def hierarchy(model: TopicModel) -> str:
    """Return a page with the tree of topics: those joined further left are more alike."""
    import plotly.graph_objects as go

    figure = go.Figure()
    names = [_label(model, i) for i in range(len(model.topics))]
    tree = merge_tree(model)
    if len(tree):
        from scipy.cluster.hierarchy import dendrogram

        drawn = dendrogram(tree, no_plot=True)
        for height, place in zip(drawn["dcoord"], drawn["icoord"]):
            figure.add_scatter(
                x=height, y=place, mode="lines", line={"color": "#0072B2"}, hoverinfo="x", showlegend=False
            )
        figure.update_yaxes(
            tickvals=[5 + 10 * i for i in range(len(names))], ticktext=[names[i] for i in drawn["leaves"]]
        )
    figure.update_xaxes(title="cosine distance", rangemode="tozero")
    figure.update_yaxes(automargin=True)
    return _page(figure, "How topics nest", height=200 + 26 * len(names))


def heatmap(model: TopicModel, table: CrossTable, title: str) -> str:
    """Return a page with the share of each topic's articles per value (province, modus), counts on hovering."""
    import plotly.graph_objects as go

    total = np.maximum(table.counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=(table.counts / total).round(4),
            x=[escape(v) for v in table.values],
            y=[_label(model, i) for i in range(len(model.topics))],
            customdata=table.counts,
            colorscale="Blues",
            hovertemplate="%{y}<br>%{x}: %{customdata} articles, %{z:.0%} of the topic<extra></extra>",
            colorbar={"title": "share of topic"},
        )
    )
    figure.update_xaxes(tickangle=-45, automargin=True)
    figure.update_yaxes(automargin=True)
    return _page(figure, title, height=220 + 28 * len(model.topics))
