"""What a corpus is about: topics that come back, their words, and what is new."""

from tppo.topics.base import OUTLIER, TermTable, Topic, TopicSettings, article_vectors, count_terms
from tppo.topics.incremental import Batch, fit_batches
from tppo.topics.model import TopicModel
from tppo.topics.stability import Certificate, certify, hide_unstable, inherit_ids, match_topics
from tppo.topics.store import load_topics, save_topics

__all__ = [
    "OUTLIER",
    "Batch",
    "Certificate",
    "TermTable",
    "Topic",
    "TopicModel",
    "TopicSettings",
    "article_vectors",
    "certify",
    "count_terms",
    "fit_batches",
    "hide_unstable",
    "inherit_ids",
    "load_topics",
    "match_topics",
    "save_topics",
]
