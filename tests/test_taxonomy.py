import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tppo.taxonomy import Label, Taxonomy

SHIPPED = Path(__file__).parents[1] / "configs" / "taxonomy" / "tppo.yaml"


def label(key: str) -> dict[str, Any]:
    return {"key": key, "name_en": key, "name_id": key, "definition": "What it means."}


def taxonomy(*keys: str, context: str = "tppo") -> dict[str, Any]:
    return {"name": "t", "modus": [label(key) for key in keys], "context": label(context)}


@pytest.fixture(scope="module")
def shipped() -> Taxonomy:
    return Taxonomy.model_validate(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))


def test_the_shipped_taxonomy_has_the_four_modus(shipped):
    assert shipped.modus_keys == ("illegal_migrant_work", "contract_marriage", "organ_trade", "scam")


def test_the_shipped_context_label_is_tppo(shipped):
    assert shipped.context.key == "tppo"


def test_every_shipped_label_has_cues_that_compile(shipped):
    for one in (*shipped.modus, shipped.context):
        assert one.cues
        assert all(re.compile(cue) for cue in one.cues)


def test_every_shipped_modus_has_prototypes(shipped):
    assert all(one.prototypes for one in shipped.modus)


def test_label_keys_are_the_modus_in_file_order_then_the_context():
    assert Taxonomy.model_validate(taxonomy("b", "a")).label_keys == ("b", "a", "tppo")


def test_a_fifth_modus_is_one_more_key(shipped):
    row = shipped.model_dump()
    row["modus"] = [*row["modus"], label("forced_begging")]
    assert Taxonomy.model_validate(row).modus_keys == (*shipped.modus_keys, "forced_begging")


@pytest.mark.parametrize("key", ["Scam", "scam-work", "1scam", "_scam", "", "scam work", "scam\n"])
def test_a_key_that_cannot_name_a_column_is_refused(key):
    with pytest.raises(ValidationError, match=re.escape(repr(key))):
        Label.model_validate(label(key))


def test_a_key_given_twice_is_refused_by_name():
    with pytest.raises(ValidationError, match="got twice: scam"):
        Taxonomy.model_validate(taxonomy("scam", "organ_trade", "scam"))


def test_a_modus_with_the_context_key_is_refused():
    with pytest.raises(ValidationError, match="got twice: tppo"):
        Taxonomy.model_validate(taxonomy("scam", "tppo"))


def test_a_taxonomy_without_a_modus_is_refused():
    with pytest.raises(ValidationError, match="modus"):
        Taxonomy.model_validate(taxonomy())


def test_an_unknown_field_of_a_label_is_refused():
    with pytest.raises(ValidationError, match="cue\n"):
        Label.model_validate({**label("scam"), "cue": ["scam"]})


def test_an_unknown_field_of_a_taxonomy_is_refused():
    with pytest.raises(ValidationError, match="labels\n"):
        Taxonomy.model_validate({**taxonomy("scam"), "labels": []})


def test_a_label_without_a_definition_is_refused():
    with pytest.raises(ValidationError, match="definition"):
        Label.model_validate({"key": "scam", "name_en": "Scam", "name_id": "Scam"})


def test_a_taxonomy_cannot_be_changed(shipped):
    with pytest.raises(ValidationError, match="frozen"):
        shipped.name = "other"
