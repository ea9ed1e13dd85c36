"""Short names to objects: build the stages that a checked configuration asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tppo.classify import Features, ModelSettings
from tppo.config import EmbeddingConfig, StaticConfig, TfidfSvdConfig, TrainConfig
from tppo.embedding import CachedEncoder, Encoder, SentenceTransformerEncoder, StaticEncoder, TfidfSvdEncoder

__all__ = ["build_encoder", "build_settings"]


def build_settings(config: TrainConfig) -> ModelSettings:
    """Return the settings of the model that a configuration describes."""
    window = config.embedding.window
    return ModelSettings(
        taxonomy=config.taxonomy,
        cleaning=config.cleaning,
        features=Features(
            vectors=config.classifier.vectors,
            terms=config.classifier.terms,
            vector_weight=config.classifier.vector_weight,
            level=config.classifier.level,
            whole=config.classifier.whole,
            tuned=config.classifier.tuned_dimension > 0,
            tuned_weight=config.classifier.tuned_weight,
        ),
        max_sentences=window.max_sentences,
        overlap=window.overlap,
        max_windows=window.max_windows,
        max_evidence=config.classifier.max_evidence,
    )


def build_encoder(config: EmbeddingConfig, *, seed: int, texts: Sequence[str]) -> Encoder:
    """Return the encoder that a configuration names, with its cache; one that learns is fitted on `texts`.

    Parameters
    ----------
    config : StaticConfig, TfidfSvdConfig or SentenceTransformerConfig
        The ``embedding`` section.
    seed : int
        For encoders that learn.
    texts : sequence of str
        Clean sentences of the training articles.
    """
    encoder: Encoder
    if isinstance(config, StaticConfig):
        encoder = StaticEncoder(None if config.folder is None else Path(config.folder))
    elif isinstance(config, TfidfSvdConfig):
        encoder = TfidfSvdEncoder(
            dimension=config.dimension,
            max_features=config.max_features,
            ngram_max=config.ngram_max,
            min_df=config.min_df,
            seed=seed,
        ).fit(texts)
    else:
        encoder = SentenceTransformerEncoder(
            config.model,
            revision=config.revision,
            prompt=config.prompt,
            max_tokens=config.max_tokens,
            batch_size=config.batch_size,
            backend=config.backend,
            device=config.device,
            weights=config.weights,
        )
    if config.cache.enabled:
        return CachedEncoder(encoder, Path(config.cache.path), max_bytes=config.cache.max_mb * 1_000_000)
    return encoder
