"""What a configuration holds: every key with its type, bounds and default, as pydantic models that forbid others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tppo.corpus.cleaning import CleaningRules
from tppo.taxonomy import Taxonomy

__all__ = [
    "KINDS",
    "CacheConfig",
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
    "TopicsTrackingConfig",
    "TrackingConfig",
    "TrainConfig",
    "WindowConfig",
]

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusConfig(_Config):
    """Where articles come from and what is let in."""

    paths: Annotated[tuple[str, ...], Field(min_length=1)]
    max_chars: Positive = 2_000_000


class SplitConfig(_Config):
    """How the articles to score on are chosen.

    ``file`` reads saved ids; without it a share `test_size` is drawn: ``balanced`` takes whole syndication groups and
    like shares of every label, ``time`` the latest articles, ``outlet`` whole outlets, ``random`` looks at nothing.
    """

    by: Literal["authored", "balanced", "time", "outlet", "random"] = "balanced"
    file: str | None = None
    test_size: Share = 0.25

    @model_validator(mode="after")
    def _saved_ids_have_a_file(self) -> SplitConfig:
        if (self.by == "authored") and self.file is None:
            raise ValueError("split.by=authored reads saved ids: set split.file, or draw a part with split=balanced")
        return self


class WindowConfig(_Config):
    """How articles are cut, see `tppo.embedding.cut_windows`."""

    max_sentences: Positive = 1
    overlap: Annotated[int, Field(ge=0)] = 0
    max_windows: Positive = 512


class CacheConfig(_Config):
    """Whether vectors are kept on disk, where, and up to what size."""

    enabled: bool = True
    path: str = ".cache/vectors.sqlite"
    max_mb: Positive = 2000


class StaticConfig(_Config):
    """`tppo.embedding.StaticEncoder`; `folder` null takes the shipped one."""

    kind: Literal["static"]
    folder: str | None = None
    window: WindowConfig = WindowConfig()
    cache: CacheConfig = CacheConfig(enabled=False)


class TfidfSvdConfig(_Config):
    """`tppo.embedding.TfidfSvdEncoder`."""

    kind: Literal["tfidf-svd"]
    dimension: Positive = 256
    max_features: Positive = 40_000
    ngram_max: Annotated[int, Field(ge=1, le=5)] = 2
    min_df: Positive = 2
    window: WindowConfig = WindowConfig()
    cache: CacheConfig = CacheConfig(enabled=False)


class SentenceTransformerConfig(_Config):
    """`tppo.embedding.SentenceTransformerEncoder`."""

    kind: Literal["sentence-transformers"]
    model: str
    revision: str | None = None
    prompt: str = ""
    max_tokens: Positive | None = None
    batch_size: Positive = 32
    backend: Literal["torch", "onnx", "openvino"] = "torch"
    device: str = "cpu"
    weights: str | None = None
    window: WindowConfig = WindowConfig()
    cache: CacheConfig = CacheConfig()


EmbeddingConfig = Annotated[StaticConfig | TfidfSvdConfig | SentenceTransformerConfig, Field(discriminator="kind")]
# The tags of that union: pydantic puts them into the location of an error.
KINDS = ("static", "tfidf-svd", "sentence-transformers")


class ClassifierConfig(_Config):
    """What the classifier sees and `tppo.classify.modus.ModusClassifier`; defaults as in ``classifier/modus.yaml``."""

    vectors: bool = True
    terms: bool = True
    vector_weight: Annotated[float, Field(gt=0)] = 0.5
    level: Literal["window", "article"] = "window"
    whole: bool = True
    max_terms: Positive = 60_000
    C: Annotated[float, Field(gt=0)] = 30.0
    temperature: Annotated[float, Field(gt=0)] = 0.3
    evidence_weight: Annotated[float, Field(ge=0)] = 1.0
    silence_weight: Annotated[float, Field(ge=0)] = 0.3
    combination_C: Annotated[float, Field(gt=0)] = 1.0
    tuned_dimension: Annotated[int, Field(ge=0)] = 64
    tuned_weight: Annotated[float, Field(gt=0)] = 0.5
    n_folds: Annotated[int, Field(ge=2)] = 5
    criterion: Literal["fixed", "best_f1", "best_f05", "precision", "recall"] = "fixed"
    target: Annotated[float, Field(gt=0, le=1)] = 0.5
    review_npv: Annotated[float, Field(gt=0, le=1)] = 0.99
    max_iter: Positive = 300
    max_evidence: Positive = 3

    @model_validator(mode="after")
    def _tuned_vectors_are_of_windows(self) -> ClassifierConfig:
        if self.tuned_dimension and self.level == "article":
            raise ValueError("classifier.level=article has no tuned vectors: set classifier.tuned_dimension=0")
        return self


class TrackingConfig(_Config):
    """Names in MLflow."""

    experiment: str = "modus"
    registered_model: str = "tppo-modus"
    run_name: str | None = None


class TrainConfig(_Config):
    """Everything `tppo train` does.

    `registers` names JSONL files with the ``id`` and ``register`` of articles, for scores by register; none are needed.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    registers: str | None = None
    n_bootstrap: Annotated[int, Field(ge=0)] = 1000
    taxonomy: Taxonomy
    cleaning: CleaningRules
    corpus: CorpusConfig
    split: SplitConfig
    embedding: EmbeddingConfig
    classifier: ClassifierConfig
    tracking: TrackingConfig


class LabelConfig(_Config):
    """Everything `tppo label` does, besides its inputs and output."""

    model: str = "models:/tppo-modus@champion"
    format: Literal["parquet", "jsonl", "csv"] = "parquet"
    bom: bool = False
    copies: Literal["ignore", "mark", "share"] = "mark"
    sample: Positive | None = None
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    workers: Positive | None = None
    batch_size: Positive = 256
    rows_per_part: Positive = 10_000
    max_chars: Positive = 2_000_000


class TopicsSection(_Config):
    """`tppo.topics.TopicSettings`, the refits of the certificate, and how timeline and province map are made."""

    n_topics: Annotated[int, Field(ge=1)] | None = None
    n_components: Positive = 30
    n_runs: Positive = 100
    target_stability: Annotated[float, Field(gt=0, le=1)] = 0.76
    outliers: Annotated[float, Field(ge=0, lt=1)] = 0.02
    n_words: Annotated[int, Field(ge=2, le=50)] = 10
    min_df: Positive = 3
    max_sample: Annotated[int, Field(ge=100)] = 20_000
    seeding: Literal["none", "zero-shot", "guided"] = "none"
    seed_similarity: Annotated[float, Field(ge=-1, le=1)] = 0.55
    n_seeds: Annotated[int, Field(ge=0)] = 3
    n_subsamples: Annotated[int, Field(ge=0)] = 5
    hide_unstable: bool = False
    period: Literal["year", "quarter", "month"] = "year"
    gazetteer: str = "gazetteer/indonesia.yaml"


class TopicsTrackingConfig(_Config):
    """Names in MLflow."""

    experiment: str = "topics"
    run_name: str | None = None


class TopicsConfig(_Config):
    """Everything `tppo topics` does."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    taxonomy: Taxonomy
    cleaning: CleaningRules
    corpus: CorpusConfig
    embedding: EmbeddingConfig
    topics: TopicsSection
    tracking: TopicsTrackingConfig
    previous: str | None = None
    update: Literal["add", "refit"] = "add"
    merge: tuple[tuple[int, ...], ...] = ()
    alarm_model: str | None = None
    out: str | None = None
