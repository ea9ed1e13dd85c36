"""From clean texts to windows with vectors."""

from tppo.embedding.base import Encoder, FloatMatrix, IntVector, TrainableEncoder, Windows
from tppo.embedding.cache import CachedEncoder
from tppo.embedding.lexical import TfidfSvdEncoder
from tppo.embedding.static import StaticEncoder
from tppo.embedding.store import load_encoder, save_encoder
from tppo.embedding.transformer import SentenceTransformerEncoder
from tppo.embedding.windows import cut_windows

__all__ = [
    "CachedEncoder",
    "Encoder",
    "FloatMatrix",
    "IntVector",
    "SentenceTransformerEncoder",
    "StaticEncoder",
    "TfidfSvdEncoder",
    "TrainableEncoder",
    "Windows",
    "cut_windows",
    "load_encoder",
    "save_encoder",
]
