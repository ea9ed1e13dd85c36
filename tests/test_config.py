"""Configuration: what composes, what is refused and how that is said."""

import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from tppo.classify.modus import ModusClassifier
from tppo.config import (
    ClassifierConfig,
    LabelConfig,
    SentenceTransformerConfig,
    StaticConfig,
    TfidfSvdConfig,
    TrainConfig,
    compose,
    composition,
    config_folder,
    flatten,
)
from tppo.errors import UsageError

REPO = Path(__file__).parents[1]


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped configuration that a test may change."""
    folder = tmp_path / "configs"
    shutil.copytree(REPO / "configs", folder)
    monkeypatch.setenv("TPPO_CONFIG_DIR", str(folder))
    return folder


def refusal(*overrides: str, name: str = "train", schema: type = TrainConfig) -> str:
    with pytest.raises(UsageError) as caught:
        compose(name, overrides, schema)
    message = str(caught.value)
    assert "\n" not in message
    return message


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (REPO / "configs" / group).glob("*.yaml"))


@pytest.mark.parametrize(
    ("group", "option"),
    [(group, o) for group in ("taxonomy", "cleaning", "embedding", "classifier", "split") for o in options(group)],
)
def test_every_shipped_option_composes(group: str, option: str) -> None:
    needed = ["embedding.model=some/model"] if option == "sentence-transformers" else []
    assert isinstance(compose("train", [f"{group}={option}", *needed], TrainConfig), TrainConfig)


def test_the_default_classifier_is_the_same_in_file_schema_and_estimator() -> None:
    composed = compose("train", [], TrainConfig).classifier
    assert composed == ClassifierConfig()
    shared = ModusClassifier().get_params().keys() & type(composed).model_fields
    assert {name: getattr(composed, name) for name in shared} == {n: ModusClassifier().get_params()[n] for n in shared}


def test_the_label_configuration_composes() -> None:
    assert isinstance(compose("label", [], LabelConfig), LabelConfig)


def test_the_shipped_files_set_what_the_schema_defaults_to_say() -> None:
    shipped = yaml.safe_load((REPO / "configs" / "label.yaml").read_text(encoding="utf-8"))
    assert LabelConfig(**shipped) == compose("label", [], LabelConfig)
    assert set(shipped) == set(LabelConfig.model_fields)


def test_a_group_picks_the_kind_of_encoder() -> None:
    assert isinstance(compose("train", ["embedding=static-id"], TrainConfig).embedding, StaticConfig)
    assert isinstance(compose("train", ["embedding=tfidf-svd"], TrainConfig).embedding, TfidfSvdConfig)


def test_a_dotted_override_sets_a_value() -> None:
    config = compose("train", ["classifier.C=3", "seed=11", "embedding.window.max_sentences=4"], TrainConfig)
    assert (config.classifier.C, config.seed, config.embedding.window.max_sentences) == (3.0, 11, 4)


def test_a_dotted_override_sets_a_value_of_the_group_chosen_beside_it() -> None:
    config = compose("train", ["embedding.dimension=16", "embedding=tfidf-svd"], TrainConfig)
    assert isinstance(config.embedding, TfidfSvdConfig)
    assert config.embedding.dimension == 16


def test_a_list_override_sets_a_list() -> None:
    assert compose("train", ["corpus.paths=[a.jsonl,b.csv]"], TrainConfig).corpus.paths == ("a.jsonl", "b.csv")


@pytest.mark.parametrize("path", ["out/my model", "models:/x@champion", "/tmp/it's here", "a=b", "C:\\models", "{x}"])
def test_an_override_takes_any_text_as_it_stands(path: str) -> None:
    assert compose("label", [f"model={path}"], LabelConfig).model == path


def test_a_folder_as_embedding_is_read_as_a_sentence_transformers_model(tmp_path: Path) -> None:
    folder = tmp_path / "my, model"
    folder.mkdir()
    config = compose("train", [f"embedding={folder}"], TrainConfig)
    assert isinstance(config.embedding, SentenceTransformerConfig)
    assert config.embedding.model == str(folder)


def test_an_option_is_preferred_to_a_folder_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPPO_CONFIG_DIR", str(REPO / "configs"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tfidf-svd").mkdir()
    assert isinstance(compose("train", ["embedding=tfidf-svd"], TrainConfig).embedding, TfidfSvdConfig)


def test_compositions_do_not_leak_into_each_other() -> None:
    before = compose("label", [], LabelConfig)
    compose("label", ["batch_size=3"], LabelConfig)
    assert compose("label", [], LabelConfig) == before


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("clasifier.C=3", ["'clasifier.C'", "did you mean 'classifier'"]),
        ("classifier.Temperature=3", ["'classifier.Temperature'", "did you mean 'temperature'"]),
        ("embedding.window.overlapp=1", ["'embedding.window.overlapp'", "did you mean 'overlap'"]),
        ("zzz=1", ["'zzz'", "valid: "]),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_valid_one(override: str, said: list[str]) -> None:
    message = refusal(override)
    assert all(part in message for part in ["unknown configuration key", *said]), message


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("embedding=tfidf-sdv", ["embedding must be one of", "'tfidf-sdv'", "did you mean 'tfidf-svd'", "folder"]),
        ("taxonomy=zzz", ["taxonomy must be one of", "'zzz'", "tppo"]),
        ("corpus=3", ["corpus is a section", "corpus.paths"]),
    ],
)
def test_an_unknown_option_is_named_with_the_valid_ones(override: str, said: list[str]) -> None:
    message = refusal(override)
    assert all(part in message for part in said), message


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("classifier.C=abc", ["classifier.C: ", "number", "'abc'"]),
        ("classifier.C=-1", ["classifier.C: ", "greater than 0", "-1"]),
        ("classifier.criterion=accuracy", ["classifier.criterion: ", "best_f1", "'accuracy'"]),
        ("classifier.target=1.5", ["classifier.target: ", "less than or equal to 1", "1.5"]),
        ("split.test_size=1", ["split.test_size: ", "less than 1", "got 1"]),
        ("seed=-1", ["seed: ", "greater than or equal to 0", "-1"]),
        ("embedding.window.max_sentences=0", ["embedding.window.max_sentences: ", "greater than or equal to 1"]),
        ("corpus.paths=[]", ["corpus.paths: ", "at least 1"]),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_was_expected(override: str, said: list[str]) -> None:
    message = refusal(override)
    assert all(part in message for part in said), message


@pytest.mark.parametrize("override", ["classifier.C", "=3", "+classifier.C=3", "~seed", "--seed=3", "a b=1"])
def test_what_is_no_override_is_refused_with_an_example(override: str) -> None:
    assert f"expected an override such as classifier.C=3, got {override!r}" in refusal(
        override, name="label", schema=LabelConfig
    )


@pytest.mark.parametrize("override", ["model=[${nope}]", "model.x.y=1"])
def test_what_hydra_cannot_read_is_one_line(override: str) -> None:
    assert refusal(override, name="label", schema=LabelConfig)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["classifier.level=article"], ["classifier.level=article", "set classifier.tuned_dimension=0"]),
        (["split.by=authored", "split.file=null"], ["split.by=authored", "set split.file"]),
    ],
)
def test_settings_that_do_not_go_together_are_named_with_what_to_do(overrides: list[str], said: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        compose("train", overrides, TrainConfig)
    assert all(part in str(caught.value) for part in said), caught.value
    assert "{" not in str(caught.value)


def test_a_required_value_that_is_missing_is_named() -> None:
    assert "embedding.model" in refusal("embedding=sentence-transformers")


def test_class_paths_in_yaml_are_refused(configs: Path) -> None:
    path = configs / "classifier" / "modus.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "_target_: os.system\n", encoding="utf-8")
    assert "_target_" in refusal()


def test_broken_yaml_is_named_by_its_folder(configs: Path) -> None:
    (configs / "classifier" / "modus.yaml").write_text("C: [1\n", encoding="utf-8")
    assert str(configs) in refusal()


def test_a_missing_main_file_is_named(configs: Path) -> None:
    (configs / "label.yaml").unlink()
    assert "'label'" in refusal(name="label", schema=LabelConfig)


def test_a_modus_can_be_added_without_code(configs: Path) -> None:
    path = configs / "taxonomy" / "tppo.yaml"
    taxonomy = yaml.safe_load(path.read_text(encoding="utf-8"))
    taxonomy["modus"].append({"key": "baby_sale", "name_en": "Baby sale", "name_id": "Jual bayi", "definition": "x"})
    (configs / "taxonomy" / "five.yaml").write_text(yaml.safe_dump(taxonomy), encoding="utf-8")
    keys = compose("train", ["taxonomy=five"], TrainConfig).taxonomy.label_keys
    assert keys[-2:] == ("baby_sale", "tppo")


def test_a_taxonomy_that_names_a_label_twice_is_refused(configs: Path) -> None:
    path = configs / "taxonomy" / "tppo.yaml"
    taxonomy = yaml.safe_load(path.read_text(encoding="utf-8"))
    taxonomy["modus"].append(dict(taxonomy["modus"][0]))
    path.write_text(yaml.safe_dump(taxonomy), encoding="utf-8")
    assert "label keys must be distinct, got twice: illegal_migrant_work" in refusal()


def test_a_cleaning_rule_that_is_no_regular_expression_is_refused(configs: Path) -> None:
    rules = {"name": "broken", "line": [{"name": "x", "pattern": "(["}]}
    (configs / "cleaning" / "broken.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    message = refusal("cleaning=broken")
    assert "not a regular expression" in message
    assert "cleaning.line" in message


def test_a_configuration_cannot_be_changed() -> None:
    config = compose("train", [], TrainConfig)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        config.classifier.C = 3  # type: ignore[misc]


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPPO_CONFIG_DIR", str(tmp_path))
    assert config_folder() == tmp_path.resolve()


def test_an_environment_folder_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPPO_CONFIG_DIR", str(tmp_path / "nope"))
    with pytest.raises(UsageError, match=r"TPPO_CONFIG_DIR must be a folder.*nope"):
        config_folder()


def test_the_working_folder_comes_before_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPPO_CONFIG_DIR", raising=False)
    (tmp_path / "configs").mkdir()
    shutil.copy(REPO / "configs" / "train.yaml", tmp_path / "configs" / "train.yaml")
    monkeypatch.chdir(tmp_path)
    assert config_folder() == (tmp_path / "configs").resolve()


def test_elsewhere_the_files_of_the_package_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPPO_CONFIG_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert (config_folder() / "train.yaml").is_file()


def test_an_installed_wheel_uses_the_files_beside_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "site-packages" / "tppo"
    shutil.copytree(REPO / "configs", installed / "configs")
    monkeypatch.delenv("TPPO_CONFIG_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(composition, "__file__", str(installed / "config" / "composition.py"))
    assert config_folder() == installed / "configs"
    assert compose("train", [], TrainConfig).taxonomy.name == "tppo"


def test_the_wheel_is_built_with_the_configuration_beside_the_module() -> None:
    build = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"]["configs"] == "tppo/configs"


def test_no_configuration_files_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPPO_CONFIG_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(composition, "__file__", str(tmp_path / "a" / "b" / "tppo" / "config" / "composition.py"))
    with pytest.raises(UsageError, match=r"no configuration files: expected \./configs/train\.yaml"):
        config_folder()


def test_flattening_gives_dotted_keys_and_strings() -> None:
    flat = flatten(compose("train", ["classifier.C=3", "corpus.paths=[a,b]"], TrainConfig))
    assert (flat["classifier.C"], flat["corpus.paths"]) == ("3.0", "a,b")
    assert all(isinstance(value, str) for value in flat.values())


def test_flattening_names_taxonomy_and_cleaning_only() -> None:
    flat = flatten(compose("train", [], TrainConfig))
    assert (flat["taxonomy"], flat["cleaning"]) == ("tppo", "indonesian-news")
    assert not [key for key in flat if key.startswith(("taxonomy.", "cleaning."))]


def test_flattening_loses_no_setting() -> None:
    config = compose("train", ["embedding=tfidf-svd"], TrainConfig)
    flat = flatten(config)
    assert {f"embedding.window.{name}" for name in type(config.embedding.window).model_fields} <= set(flat)
    assert {f"classifier.{name}" for name in type(config.classifier).model_fields} <= set(flat)


def test_values_fit_what_mlflow_stores() -> None:
    assert max(map(len, flatten(compose("train", [], TrainConfig)).values())) <= 500
