"""Configuration: Hydra composes it from ``configs/`` and the overrides, pydantic checks every key and value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tppo.corpus.cleaning import CleaningRules
from tppo.errors import UsageError, nearest
from tppo.taxonomy import Taxonomy

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


class ClassifierConfig(_Config):
    """What the classifier sees and `tppo.classify.modus.ModusClassifier`."""

    vectors: bool = True
    terms: bool = False
    vector_weight: Annotated[float, Field(gt=0)] = 1.0
    level: Literal["window", "article"] = "window"
    whole: bool = False
    max_terms: Positive = 40_000
    C: Annotated[float, Field(gt=0)] = 30.0
    temperature: Annotated[float, Field(gt=0)] = 0.1
    evidence_weight: Annotated[float, Field(ge=0)] = 1.0
    silence_weight: Annotated[float, Field(ge=0)] = 0.3
    combination_C: Annotated[float, Field(gt=0)] = 1.0
    n_folds: Annotated[int, Field(ge=2)] = 5
    criterion: Literal["fixed", "best_f1", "best_f05", "precision", "recall"] = "fixed"
    target: Annotated[float, Field(gt=0, le=1)] = 0.5
    review_npv: Annotated[float, Field(gt=0, le=1)] = 0.99
    max_iter: Positive = 300
    max_evidence: Positive = 3


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


KINDS = ("static", "tfidf-svd", "sentence-transformers")

_C = TypeVar("_C", bound=BaseModel)


def config_folder() -> Path:
    """Return the folder of the configuration files.

    ``$TPPO_CONFIG_DIR``, else ``configs`` in the working folder, else the one that came with the package.

    Raises
    ------
    UsageError
        If ``$TPPO_CONFIG_DIR`` is not a folder.
    """
    given = os.environ.get("TPPO_CONFIG_DIR")
    if given:
        if not Path(given).is_dir():
            raise UsageError(f"TPPO_CONFIG_DIR must be a folder of configuration files, got {given!r}")
        return Path(given).resolve()
    here = Path(__file__).resolve()
    for folder in (Path.cwd() / "configs", here.parent / "configs", here.parents[2] / "configs"):
        if (folder / "train.yaml").is_file():
            return folder.resolve()
    raise UsageError("no configuration files: expected ./configs/train.yaml, or set TPPO_CONFIG_DIR")


def compose(name: str, overrides: Sequence[str], schema: type[_C]) -> _C:
    """Compose and check a configuration.

    Parameters
    ----------
    name : str
        Main file in the configuration folder, without ``.yaml``.
    overrides : sequence of str
        ``group=option``, ``key.of.value=value`` or, for ``embedding``, the folder of a sentence-transformers model.
    schema : type
        Pydantic model of the result.

    Raises
    ------
    UsageError
        If a key is unknown or a value does not fit; the message names the key, what was expected and what was got.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    folder = config_folder()
    with initialize_config_dir(str(folder), version_base="1.3"):
        try:
            base = OmegaConf.to_container(hydra_compose(name))
            checked = list(_checked_overrides(overrides, folder, schema, base))
            composed = OmegaConf.to_container(hydra_compose(name, checked), resolve=True, throw_on_missing=True)
        except MissingMandatoryValue as error:
            raise UsageError(f"configuration key {error.full_key!r} is required: set {error.full_key}=…") from None
        except (HydraException, OmegaConfBaseException) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UsageError(f"cannot compose configuration {name!r} in {folder}: {first}") from None
        except OSError as error:
            raise UsageError(f"cannot read configuration {name!r} in {folder}: {error}") from None
        except Exception as error:
            if type(error).__module__.startswith("yaml"):
                raise UsageError(f"broken YAML in {folder}: {' '.join(str(error).split())}") from None
            raise
    try:
        return schema.model_validate(composed)
    except ValidationError as error:
        raise UsageError(_explain(error, schema)) from None


def _checked_overrides(overrides: Sequence[str], folder: Path, schema: type[BaseModel], base: Any) -> Iterator[str]:
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.]*", key):
            raise UsageError(f"expected an override such as classifier.C=3, got {override!r}")
        top = key.split(".")[0]
        if top not in schema.model_fields:
            raise UsageError(f"unknown configuration key {key!r}{nearest(top, schema.model_fields)}")
        options = {p.stem for p in (folder / key).glob("*.yaml")} if "." not in key else set()
        if key == "embedding" and value not in options and Path(value).is_dir():
            yield "embedding=sentence-transformers"
            yield f"embedding.model={_quoted(str(Path(value).resolve()))}"
        elif options and value not in options:
            extra = " or the folder of a sentence-transformers model" if key == "embedding" else ""
            raise UsageError(
                f"{key} must be one of {', '.join(sorted(options))}{extra}, got {value!r}{nearest(value, options)}"
            )
        elif not options and "." not in key and isinstance(base.get(key), dict):
            raise UsageError(
                f"{key} is a section: set a key of it, e.g. {key}.{next(iter(base[key]), 'key')}=…, got {override!r}"
            )
        else:
            # "++" lets keys that only the schema knows be set; whether it knows them is checked afterwards.
            yield override if options else f"++{key}={_plain(value)}"


def _plain(value: str) -> str:
    """Quote a value that Hydra's grammar would trip over; lists, numbers and simple words stay as they are."""
    return value if re.fullmatch(r"\[.*\]|[\w.+-]*", value) else _quoted(value)


def _quoted(value: str) -> str:
    # In Hydra's quotes a backslash stands for itself, except before a quote.
    escaped = re.sub(r"(\\+)(?='|$)", r"\1\1", value).replace("'", "\\'")
    return f"'{escaped}'"


def _explain(error: ValidationError, schema: type[BaseModel]) -> str:
    """Say in one line what is wrong with the first value that does not fit."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"] if part not in KINDS]
    key = ".".join(location) or "configuration"
    if first["type"] == "extra_forbidden":
        siblings = _fields_at(schema, first["loc"][:-1])
        return f"unknown configuration key {key!r}{nearest(location[-1], siblings)}"
    if first["type"] == "missing":
        return f"configuration key {key!r} is required; set it, e.g. {key}=…"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message[0].lower()}{message[1:]}, got {first.get('input')!r:.80}"


def _fields_at(schema: Any, location: Sequence[int | str]) -> list[str]:
    """Return the field names of the section a location leads to; tagged unions are entered by their tag."""
    candidates: list[Any] = [schema]
    for part in location:
        following: list[Any] = []
        for model in candidates:
            field = getattr(model, "model_fields", {}).get(part)
            if field is not None:
                inner = field.annotation
                following.extend(getattr(inner, "__args__", None) or [inner])
        candidates = following or candidates
    tags = [str(part) for part in location]
    models = [m for m in candidates if hasattr(m, "model_fields")]
    tagged = [m for m in models if "kind" in m.model_fields and m.model_fields["kind"].annotation.__args__[0] in tags]
    return sorted({name for m in (tagged or models) for name in m.model_fields})


def flatten(config: BaseModel) -> dict[str, str]:
    """Return dotted keys and values for tracking; taxonomy and cleaning rules by name only."""
    dumped = config.model_dump(mode="json")
    for section in ("taxonomy", "cleaning"):
        if section in dumped:
            dumped[section] = dumped[section]["name"]

    def walk(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            yield prefix, ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return dict(walk("", dumped))
