"""Configuration: Hydra composes it from ``configs/`` and the overrides, pydantic checks every key and value."""

from tppo.config.composition import compose, config_folder, flatten
from tppo.config.schema import (
    ClassifierConfig,
    CorpusConfig,
    EmbeddingConfig,
    LabelConfig,
    SentenceTransformerConfig,
    SplitConfig,
    StaticConfig,
    TfidfSvdConfig,
    TopicsConfig,
    TopicsSection,
    TrainConfig,
)

__all__ = [
    "ClassifierConfig",
    "CorpusConfig",
    "EmbeddingConfig",
    "LabelConfig",
    "SentenceTransformerConfig",
    "SplitConfig",
    "StaticConfig",
    "TfidfSvdConfig",
    "TopicsConfig",
    "TopicsSection",
    "TrainConfig",
    "compose",
    "config_folder",
    "flatten",
]
