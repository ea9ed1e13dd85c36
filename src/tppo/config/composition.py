"""From files and overrides to a checked configuration: Hydra composes it, a schema checks every key and value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tppo.config.schema import KINDS
from tppo.errors import UsageError, nearest

__all__ = ["compose", "config_folder", "flatten"]

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
    package = Path(__file__).resolve().parents[1]
    for folder in (Path.cwd() / "configs", package / "configs", package.parents[1] / "configs"):
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
    """Yield overrides as Hydra wants them; refuse what names no key or option."""
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
    """Put a value in Hydra's quotes, where a backslash stands for itself, except before a quote."""
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
    if isinstance(first.get("input"), Mapping):  # settings that do not go together: the message names them
        return str(message)
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
        """Yield the dotted key and string of every value below `prefix`."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            yield prefix, ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return dict(walk("", dumped))
