"""From files to clean, labelled, split articles."""

from tppo.corpus.article import Article, InvalidRowError, Limits, Rejected, Span, admit_row, article_from_row, text_id
from tppo.corpus.cleaning import Cleaner, CleaningRules, CleanText, Rule
from tppo.corpus.readers import SUFFIXES, find_files, read_articles
from tppo.corpus.sentences import sentence_spans
from tppo.corpus.splits import (
    Split,
    balanced_folds,
    balanced_split,
    load_split,
    outlet_split,
    random_split,
    time_split,
)

__all__ = [
    "SUFFIXES",
    "Article",
    "CleanText",
    "Cleaner",
    "CleaningRules",
    "InvalidRowError",
    "Limits",
    "Rejected",
    "Rule",
    "Span",
    "Split",
    "admit_row",
    "article_from_row",
    "balanced_folds",
    "balanced_split",
    "find_files",
    "load_split",
    "outlet_split",
    "random_split",
    "read_articles",
    "sentence_spans",
    "text_id",
    "time_split",
]
