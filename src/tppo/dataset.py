"""The labelled articles that a configuration names: read, split, and what is true of them."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tppo.config import SplitConfig, TrainConfig
from tppo.corpus import (
    Article,
    Limits,
    Rejected,
    Split,
    balanced_split,
    find_files,
    load_split,
    outlet_split,
    random_split,
    read_articles,
    time_split,
)
from tppo.errors import DataError

__all__ = [
    "Parts",
    "article_table",
    "data_digest",
    "load_parts",
    "read_corpus",
    "read_registers",
    "split_articles",
    "truth",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """The articles to learn from, those to score on, the split that parted them, and the rows that are in neither."""

    learn: list[Article]
    test: list[Article]
    split: Split
    rejected: list[Rejected]


def load_parts(config: TrainConfig) -> Parts:
    """Read and split the labelled articles of a configuration.

    Raises
    ------
    DataError
        If there are no labelled articles, or a part of the split has none.
    """
    articles, rejected = read_corpus(config)
    split = split_articles(articles, config.split, keys=config.taxonomy.label_keys, seed=config.seed)
    by_id = {a.id: a for a in articles}
    learn = [by_id[i] for i in split.train if i in by_id]
    test = [by_id[i] for i in split.test if i in by_id]
    if not learn or not test:
        raise DataError(
            f"the split leaves {len(learn)} articles to learn from and {len(test)} to score on of {len(articles)}; "
            "for your own articles take split=balanced"
        )
    placed = {*split.train, *split.test}
    rejected += [Rejected(i, "in neither part of the split", i) for i in by_id if i not in placed]
    return Parts(learn, test, split, rejected)


def read_corpus(config: TrainConfig) -> tuple[list[Article], list[Rejected]]:
    """Read the labelled articles of a configuration; unlabelled ones and bad rows are returned as rejected."""
    limits = Limits(max_chars=config.corpus.max_chars, modus_keys=config.taxonomy.modus_keys)
    articles: list[Article] = []
    rejected: list[Rejected] = []
    for item in read_articles(find_files(config.corpus.paths), limits=limits):
        if isinstance(item, Rejected):
            rejected.append(item)
        elif item.labels is None:
            rejected.append(Rejected(item.id, "not labelled: training needs a column 'labels' ([] for none)", item.id))
        else:
            articles.append(item)
    if not articles:
        reasons = f"; first refused: {rejected[0].source}: {rejected[0].reason}" if rejected else ""
        raise DataError(f"no labelled articles in {', '.join(config.corpus.paths)}{reasons}")
    return articles, rejected


def split_articles(articles: Sequence[Article], config: SplitConfig, *, keys: Sequence[str], seed: int) -> Split:
    """Return the split a configuration asks for: the saved one, or one drawn as `tppo.config.SplitConfig` says."""
    if config.by == "authored" and config.file is not None:
        return load_split(Path(config.file))
    ids = [a.id for a in articles]
    groups = [a.group or a.id for a in articles]
    if config.by == "time":
        return time_split(ids, groups, [a.published_at for a in articles], test_size=config.test_size)
    if config.by == "random":
        return random_split(ids, test_size=config.test_size, seed=seed)
    labels = truth(articles, keys) == 1
    if config.by == "outlet":
        outlets = [a.outlet for a in articles]
        return outlet_split(ids, groups, outlets, labels, test_size=config.test_size, seed=seed)
    return balanced_split(ids, groups, labels, test_size=config.test_size, seed=seed)


def truth(articles: Sequence[Article], keys: Sequence[str]) -> FloatArray:
    """Return labels as an array of shape (n_articles, n_labels): 0, 1, or NaN where the context label is not known."""
    *modus, _ = keys
    return np.array(
        [
            [*(float(key in (a.labels or ())) for key in modus), np.nan if a.tppo is None else float(a.tppo)]
            for a in articles
        ]
    ).reshape(len(articles), len(keys))


def data_digest(articles: Sequence[Article]) -> str:
    """Return a digest of what was learnt or scored: ids, texts and labels, in any order."""
    rows = sorted(json.dumps([a.id, a.text, a.labels, a.tppo, a.group]) for a in articles)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def article_table(articles: Sequence[Article]) -> Any:
    """Return a pandas DataFrame with the id, text, labels and group of each article."""
    import pandas as pd

    return pd.DataFrame(
        {
            "id": [a.id for a in articles],
            "text": [a.text for a in articles],
            "labels": [",".join(a.labels or ()) for a in articles],
            "group": [a.group or a.id for a in articles],
        }
    )


def read_registers(pattern: str | None) -> dict[str, str]:
    """Return the register (``portal``, ``court``, ...) of articles by id, from JSONL files; none if there are no files.

    Raises
    ------
    DataError
        If a file is not JSONL with ``id`` and ``register``.
    """
    found: dict[str, str] = {}
    for name in sorted(glob.glob(pattern)) if pattern else []:  # noqa: PTH207 (absolute patterns)
        for number, line in enumerate(Path(name).read_text(encoding="utf-8").splitlines(), start=1):
            try:
                row = json.loads(line)
                found[row["id"]] = row["register"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{name}:{number}: expected a row with id and register, got {line!r:.60} ({error})"
                ) from None
    return found
