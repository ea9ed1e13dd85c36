"""The whole recipe: sources in, an encoder's folder out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tppo.console import stage
from tppo.embedding import FloatMatrix
from tppo.pretrain.distill import Lesson, train
from tppo.pretrain.export import check_out, export
from tppo.pretrain.lexicon import Glosser, words
from tppo.pretrain.matrices import FloatVector, gloss_rows, join, principal_axes, token_shares, topic_rows, unit
from tppo.pretrain.measure import Yardstick, held_out
from tppo.pretrain.pairs import Sources
from tppo.pretrain.recipe import Recipe
from tppo.pretrain.teacher import Teacher, untranslated_sentences
from tppo.pretrain.tokens import Bags, build_tokenizer

__all__ = ["Pretrained", "pretrain"]

_TEXT_TOKENS = 400
_WORD_TOKENS, _GLOSS_TOKENS, _ENGLISH_TOKENS = 32, 48, 64


@dataclass(frozen=True)
class Pretrained:
    """What training an encoder gave.

    Parameters
    ----------
    folder : Path
        Where the encoder is.
    metrics : dict of str to float
        Of the encoder as stored: ``eval/spearman`` or ``eval/accuracy``, ``model/mb``, ``model/tokens``.
    history : list of (int, dict of str to float)
        Step and metrics during training, before the join.
    seconds : dict of str to float
        What each stage took.
    """

    folder: Path
    metrics: dict[str, float]
    history: list[tuple[int, dict[str, float]]]
    seconds: dict[str, float]


def pretrain(
    sources: Sources, out: Path, *, recipe: Recipe | None = None, teacher: Teacher | None = None, threads: int = 1
) -> Pretrained:
    """Train a static sentence encoder and write it to a folder.

    With a teacher and translated sentences, word alignment gives an English gloss of every word, the teacher's vectors
    of the glosses start the matrix, and training brings the vector of each sentence to the teacher's vector of its
    gloss or translation. Co-occurrence vectors of the same texts are joined to that. Without a teacher co-occurrence
    starts the matrix and pairs alone train it.

    Parameters
    ----------
    sources : Sources
        From `read_sources`.
    out : Path
        New or empty folder, or an earlier encoder's.
    recipe : Recipe, optional
        Settings; the defaults are the shipped encoder's.
    teacher : callable, optional
        Texts and a token limit to unit vectors, see `Teacher`.
    threads : int
        Of torch. One gives the same bytes on every run.
    """
    check_out(out)
    recipe = recipe or Recipe()
    seconds: dict[str, float] = {}
    history: list[tuple[int, dict[str, float]]] = []
    kept = [] if sources.scored else held_out(sources.pairs, recipe.seed)
    pairs = [pair for pair in sources.pairs if pair not in set(kept)] if kept else sources.pairs
    with stage("tokenizer", seconds):
        tokenizer = build_tokenizer(sources.texts, vocab_size=recipe.vocab_size, subwords=recipe.subwords)
        bags = Bags(tokenizer, sources.texts, _TEXT_TOKENS)
        shares = token_shares(bags, tokenizer.get_vocab_size())
        yardstick = Yardstick(tokenizer, sources, kept)
    lesson = None
    if teacher is not None and sources.parallel:
        start, lesson = _taught(sources, tokenizer, shares, teacher, recipe, seconds)
    else:
        with stage("co-occurrence", seconds):
            size, sif = recipe.dimension, recipe.sif
            start = topic_rows(bags, shares, dimension=size, sif=sif, seed=recipe.seed, noise=True)

    def report(step: int, loss: float, matrix: FloatMatrix) -> None:
        history.append((step, {"train/loss": loss, **yardstick(matrix)}))

    with stage("training", seconds), _torch_threads(threads):
        matrix = train(start, tokenizer, lesson, pairs, sources.negatives, recipe, report)
    with stage("join", seconds):
        if lesson is not None and recipe.ppmi_weight:
            topics = topic_rows(bags, shares, dimension=recipe.ppmi_dimension, sif=recipe.sif, seed=recipe.seed)
            matrix = join(matrix, topics, recipe.ppmi_weight, bags, recipe.dimension)
        else:
            matrix = matrix @ principal_axes(unit(bags.encode(matrix)), recipe.dimension)
    card = {
        "recipe": asdict(recipe),
        "teacher": lesson is not None,
        "counts": {name: len(getattr(sources, name)) for name in ("parallel", "pairs", "negatives", "texts")},
        "files": sources.files,
    }
    with stage("export", seconds):
        metrics = yardstick(export(tokenizer, np.ascontiguousarray(matrix), card, out))
    metrics["model/mb"] = sum(f.stat().st_size for f in out.rglob("*") if f.is_file()) / 1e6
    metrics["model/tokens"] = float(len(shares))
    return Pretrained(out, metrics, history, seconds)


def _taught(
    sources: Sources,
    tokenizer: Any,
    shares: FloatVector,
    teacher: Teacher,
    recipe: Recipe,
    seconds: dict[str, float],
) -> tuple[FloatMatrix, Lesson]:
    """Return the matrix that glosses give, and the teacher's vectors of all sentences, of one dimension."""
    with stage("lexicon", seconds):
        counts: Counter[str] = Counter()
        for text in sources.texts:
            counts.update(words(text))
        gloss = Glosser(sources.parallel, counts)
        vocabulary = sorted(word for word, n in counts.items() if n >= 2)
        drawn = untranslated_sentences(sources, recipe.teacher_sentences, recipe.seed)
    with stage("teacher", seconds):
        word_vectors = teacher([gloss.word(word) for word in vocabulary], _WORD_TOKENS)
        parts: Sequence[FloatMatrix] = [
            *([teacher([gloss(sentence) for sentence in drawn], _GLOSS_TOKENS)] if drawn else []),
            teacher([english for _, english in sources.parallel], _ENGLISH_TOKENS),
        ]
        vectors = np.concatenate(parts)
        axes = principal_axes(vectors, recipe.dimension)
    rotated = word_vectors @ axes
    start = gloss_rows(tokenizer, dict(zip(vocabulary, rotated)), shares, sif=recipe.sif, seed=recipe.seed)
    return start, Lesson([*drawn, *(own for own, _ in sources.parallel)], unit(vectors @ axes))


@contextmanager
def _torch_threads(n: int) -> Iterator[None]:
    """Let torch use `n` threads inside the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
