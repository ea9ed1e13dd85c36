"""The taxonomy: which labels exist, what they mean and how reporters name them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = ["Label", "Taxonomy"]

_KEY = re.compile(r"[a-z][a-z0-9_]*")


class Label(BaseModel):
    """One label: a modus, or the context label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    name_en: str
    name_id: str
    definition: str
    cues: tuple[str, ...] = ()
    prototypes: tuple[str, ...] = ()

    @field_validator("key")
    @classmethod
    def _key_is_a_column_name(cls, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError(f"a label key is lower-case letters, digits and '_' (it names columns), got {key!r}")
        return key


class Taxonomy(BaseModel):
    """The modus that articles are labelled with, and the context label that says whether TPPO is the matter at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    modus: Annotated[tuple[Label, ...], Field(min_length=1)]
    context: Label

    @model_validator(mode="after")
    def _keys_are_distinct(self) -> Taxonomy:
        keys = self.label_keys
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"label keys must be distinct, got twice: {', '.join(twice)}")
        return self

    @property
    def modus_keys(self) -> tuple[str, ...]:
        """Keys of the modus, in the order of the taxonomy file."""
        return tuple(label.key for label in self.modus)

    @property
    def label_keys(self) -> tuple[str, ...]:
        """Keys of all labels: the modus, then the context label. The column order of every label matrix."""
        return (*self.modus_keys, self.context.key)
