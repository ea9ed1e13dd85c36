"""What `tppo corpus` does: the corpus stages over files, one JSONL row per article, bad rows set aside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tppo.config import config_folder
from tppo.console import progress
from tppo.corpus import Article, Cleaner, CleaningRules, Rejected, find_files, read_articles
from tppo.corpus.describe import Describer, Gazetteer
from tppo.corpus.syndication import group_articles
from tppo.corpus.weak import FunctionReport, WeakLabeller, report
from tppo.errors import UsageError, nearest
from tppo.taxonomy import Taxonomy

__all__ = ["CorpusSummary", "clean_files", "dedup_files", "describe_files", "read_option", "weak_label_files"]

_S = TypeVar("_S", bound=BaseModel)
Row = dict[str, Any]


@dataclass
class CorpusSummary:
    """What came of a run.

    Parameters
    ----------
    out, quarantine : Path
        The rows written, and those that could not be read with their reasons (only if there were any).
    articles, rejected : int
        How many of each.
    counts : dict of str to int
        What the command counts, by name.
    functions : list of FunctionReport
        How each labelling function did (weak labels only).
    """

    out: Path
    quarantine: Path
    articles: int = 0
    rejected: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    functions: list[FunctionReport] = field(default_factory=list)

    def count(self, name: str, n: int = 1) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + n


def read_option(group: str, name: str, schema: type[_S]) -> _S:
    """Read one file of a configuration group, such as ``cleaning/indonesian-news.yaml``.

    Raises
    ------
    UsageError
        If the group has no such file or it does not fit the schema.
    """
    path = config_folder() / group / f"{name}.yaml"
    if not path.is_file():
        names = [p.stem for p in path.parent.glob("*.yaml")]
        raise UsageError(f"{group} must be one of {', '.join(sorted(names))}, got {name!r}{nearest(name, names)}")
    try:
        return schema.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"cannot use {path}: {' '.join(str(error).split())[:200]}") from None


def clean_files(inputs: Sequence[str], out: Path, *, cleaning: str) -> CorpusSummary:
    """Take the boilerplate out; `kept` says which stretches of the original text make up the clean one."""
    cleaner = Cleaner(read_option("cleaning", cleaning, CleaningRules))

    def row(article: Article, summary: CorpusSummary) -> Row:
        """Return the row of the cleaned article, its evidence moved along."""
        clean = cleaner.clean(article.text)
        summary.count("characters", len(article.text))
        summary.count("characters removed", len(article.text) - len(clean.text))
        moved = [(span, clean.to_clean(span.start, span.end)) for span in article.evidence or ()]
        evidence = [{"label": s.label, "start": to[0], "end": to[1]} for s, to in moved if to is not None]
        changed: Row = {"text": clean.text, "kept": clean.kept}
        return _row(article) | changed | ({} if article.evidence is None else {"evidence": evidence})

    return _stream(inputs, out, row)


def describe_files(inputs: Sequence[str], out: Path, *, cleaning: str, gazetteer: str) -> CorpusSummary:
    """Add `place`, `province`, `event_date`, and `outlet` and `published_at` where the row has none."""
    cleaner = Cleaner(read_option("cleaning", cleaning, CleaningRules))
    describer = Describer(read_option("gazetteer", gazetteer, Gazetteer))

    def row(article: Article, summary: CorpusSummary) -> Row:
        """Return the row with what the text says of place, date and outlet."""
        found = describer.describe(
            cleaner.clean(article.text).text, original=article.text, published_at=article.published_at
        )
        said: Row = {
            "place": found.place and found.place.area,
            "province": found.place and found.place.province,
            "event_date": found.event_date and found.event_date.isoformat(),
            "outlet": article.outlet or found.outlet,
            "published_at": found.published_at and found.published_at.isoformat(),
        }
        for name, value in said.items():
            summary.count(name, int(value is not None))
        return _row(article) | said

    return _stream(inputs, out, row)


def dedup_files(
    inputs: Sequence[str], out: Path, *, cleaning: str, copies_only: bool = False, drop: bool = False
) -> CorpusSummary:
    """Group articles that tell one story.

    Parameters
    ----------
    copies_only : bool
        Leave out rewrites (no vectors are needed then).
    drop : bool
        Write only the longest article of every group.
    """
    from tppo.embedding.static import StaticEncoder

    cleaner = Cleaner(read_option("cleaning", cleaning, CleaningRules))
    summary = _summary(out)
    articles = list(_articles(inputs, summary))
    texts = [cleaner.clean(article.text).text for article in articles]
    vectors = None if copies_only else StaticEncoder().encode(texts)
    numbers = group_articles(texts, vectors=vectors, published=[article.published_at for article in articles]).tolist()
    members: dict[int, list[int]] = {}
    for index, number in enumerate(numbers):
        members.setdefault(number, []).append(index)
    shared = [group for group in members.values() if len(group) > 1]
    summary.counts = {"stories": len(members), "groups": len(shared), "articles in groups": sum(map(len, shared))}
    name = {index: f"s-{articles[group[0]].id}" for group in shared for index in group}
    longest = {max(group, key=lambda index: len(texts[index])) for group in members.values()}
    kept = [index for index in range(len(articles)) if not drop or index in longest]
    _write(summary.out, (_row(articles[i]) | ({"group": name[i]} if i in name else {}) for i in kept))
    return summary


def weak_label_files(inputs: Sequence[str], out: Path, *, cleaning: str, taxonomy: str) -> CorpusSummary:
    """Label articles by the taxonomy's cues; known labels only serve to score the labelling functions."""
    labels = read_option("taxonomy", taxonomy, Taxonomy)
    labeller = WeakLabeller(labels, Cleaner(read_option("cleaning", cleaning, CleaningRules)))
    summary = _summary(out)
    articles = list(_articles(inputs, summary))
    weak = labeller.label(articles)
    *modus, context = weak.keys
    rows = []
    for article, given, spans in zip(articles, weak.labels, weak.evidence):
        found = {
            "labels": [key for key, on in zip(modus, given) if on],
            "tppo": bool(given[-1]),
            "evidence": [asdict(span) for span in spans if span.label != context],
        }
        rows.append(_row(article) | found)
    _write(summary.out, rows)
    summary.counts = {key: int(n) for key, n in zip(weak.keys, weak.labels.sum(axis=0))}
    summary.functions = report(labeller, weak, articles)
    return summary


def _stream(inputs: Sequence[str], out: Path, make: Callable[[Article, CorpusSummary], Row]) -> CorpusSummary:
    summary = _summary(out)
    _write(summary.out, (make(article, summary) for article in _articles(inputs, summary)))
    return summary


def _summary(out: Path) -> CorpusSummary:
    """Return an empty summary for a file ending in .jsonl, or for a folder."""
    if out.suffix == ".jsonl":
        return CorpusSummary(out, out.with_suffix(".quarantine.jsonl"))
    if out.suffix or out.is_file():
        raise UsageError(f"--out must be a folder or a file ending in .jsonl, got {str(out)!r}")
    return CorpusSummary(out / "articles.jsonl", out / "quarantine.jsonl")


def _articles(inputs: Sequence[str], summary: CorpusSummary) -> Iterator[Article]:
    """Yield the articles of the inputs; bad rows are written to the quarantine."""
    files = find_files(inputs)
    if summary.out.resolve() in [path.resolve() for path in files]:
        raise UsageError(f"--out would overwrite its own input {summary.out}")
    rejected: list[Rejected] = []
    with progress("corpus", "articles") as advance:
        for item in read_articles(files):
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                summary.articles += 1
                yield item
            advance(1)
    summary.rejected = len(rejected)
    summary.quarantine.unlink(missing_ok=True)
    if rejected:
        _write(summary.quarantine, (item.as_row() for item in rejected))


def _row(article: Article) -> Row:
    """Return an article's own columns, without those it does not have."""
    return {name: value for name, value in asdict(article).items() if value is not None}


def _write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as JSONL; the file appears when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    with scratch.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    scratch.replace(path)
