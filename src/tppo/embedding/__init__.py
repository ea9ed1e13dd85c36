"""From clean texts to windows with vectors."""

from tppo.embedding.base import Encoder, FloatMatrix, IntVector, TokenEncoder, Tokens, TrainableEncoder, Windows
from tppo.embedding.cache import CachedEncoder
from tppo.embedding.lexical import TfidfSvdEncoder
from tppo.embedding.static import StaticEncoder, mean_vectors, shipped_folder, token_counts
from tppo.embedding.store import load_encoder, save_encoder
from tppo.embedding.subword_terms import SubwordTerms, TermCounts
from tppo.embedding.tokens import SubwordTokenizer
from tppo.embedding.transformer import SentenceTransformerEncoder
from tppo.embedding.windows import cut_windows

__all__ = [
    "CachedEncoder",
    "Encoder",
    "FloatMatrix",
    "IntVector",
    "SentenceTransformerEncoder",
    "StaticEncoder",
    "SubwordTerms",
    "SubwordTokenizer",
    "TermCounts",
    "TfidfSvdEncoder",
    "TokenEncoder",
    "Tokens",
    "TrainableEncoder",
    "Windows",
    "cut_windows",
    "load_encoder",
    "mean_vectors",
    "save_encoder",
    "shipped_folder",
    "token_counts",
]
