"""Every number that a trained encoder depends on."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tppo.errors import UsageError

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of `tppo.pretrain.pretrain`; the defaults are those of the shipped encoder.

    Parameters
    ----------
    seed : int
        For everything drawn at random.
    vocab_size, subwords : int
        Tokens at most, and how many of them are pieces of words; the others are the most frequent whole words.
    dimension : int
        Length of the vectors; a principal component analysis orders them, so the first 128 or 64 can stand for all.
    teacher_sentences : int
        Sentences without a translation that the teacher reads as word-by-word glosses.
    steps, batch_size : int
        Training steps, and sentences in each that are compared with the teacher's.
    learning_rate : float
        Of Adam, after 50 steps of warming up, falling to zero.
    temperature : float
        Of the similarities in both losses.
    sif : float
        a in the weight a / (a + p) of a token of frequency p: the smaller, the less frequent words count.
    ppmi_dimension : int
        Length of the co-occurrence vectors that are joined to the distilled ones.
    ppmi_weight : float
        Their weight; 0 leaves them out.
    contrastive : float
        Weight of the contrastive loss over pairs beside the teacher's; 0 leaves it out.
    contrastive_batch : int
        Pairs compared with one another in a step.
    """

    seed: int = 0
    vocab_size: int = 40_000
    subwords: int = 6_000
    dimension: int = 256
    teacher_sentences: int = 24_000
    steps: int = 600
    batch_size: int = 1024
    learning_rate: float = 3e-3
    temperature: float = 0.05
    sif: float = 1e-3
    ppmi_dimension: int = 128
    ppmi_weight: float = 0.6
    contrastive: float = 0.3
    contrastive_batch: int = 512

    def __post_init__(self) -> None:
        may_be_zero = {"seed", "contrastive", "ppmi_weight", "teacher_sentences", "subwords", "steps"}
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (value == 0 and field.name not in may_be_zero):
                raise UsageError(f"{field.name} must be positive, got {value}")
