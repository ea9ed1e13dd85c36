"""Train a static sentence encoder from text pairs and any corpus, on a CPU."""

from tppo.pretrain.pairs import ScoredPair, Sources, read_sources
from tppo.pretrain.recipe import Recipe
from tppo.pretrain.run import Pretrained, pretrain
from tppo.pretrain.teacher import Teacher, TransformerTeacher, find_teacher

__all__ = [
    "Pretrained",
    "Recipe",
    "ScoredPair",
    "Sources",
    "Teacher",
    "TransformerTeacher",
    "find_teacher",
    "pretrain",
    "read_sources",
]
