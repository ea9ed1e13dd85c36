"""The whole model: reading articles, quoting evidence, saving without pickle, refusing what was tampered with."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from small_corpus import FURNITURE_ABOVE, FURNITURE_BELOW, MODUS, STATED, articles, texts, train_config, trained
from tppo.build import build_encoder, build_settings
from tppo.classify import YES, ModusModel, Readings, folder_digest
from tppo.errors import ModelError

KINDS = {
    "default": (),
    "vectors": ("classifier.vectors=true", "classifier.terms=false"),
    "vectors and terms": ("classifier.vectors=true", "classifier.terms=true"),
    "terms": ("classifier.vectors=false", "classifier.terms=true"),
    "baseline": ("classifier=tfidf-linear",),
    "static": ("embedding=static-id",),
    "wide windows": ("embedding.window.max_sentences=3", "embedding.window.overlap=1"),
}
every_kind = pytest.mark.parametrize("overrides", KINDS.values(), ids=list(KINDS))


def assert_same(one: Readings, two: Readings) -> None:
    assert one.keys == two.keys
    assert one.evidence == two.evidence
    for name in ("probabilities", "decisions", "n_tokens", "n_dropped"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@every_kind
def test_a_saved_model_reads_as_before(overrides: tuple[str, ...], tmp_path: Path) -> None:
    model = trained(*overrides)
    digest = model.save(tmp_path / "model")
    assert_same(ModusModel.load(tmp_path / "model", digest=digest).read(texts()), model.read(texts()))


@pytest.mark.slow
def test_a_model_over_a_sentence_transformer_reads_as_before(tiny_st_folder: Path, tmp_path: Path) -> None:
    model = trained(f"embedding={tiny_st_folder}", "embedding.cache.enabled=false")
    digest = model.save(tmp_path / "model")
    assert_same(ModusModel.load(tmp_path / "model", digest=digest).read(texts()[:10]), model.read(texts()[:10]))


@every_kind
def test_evidence_quotes_the_original_text(overrides: tuple[str, ...]) -> None:
    originals = [FURNITURE_ABOVE + text + FURNITURE_BELOW for text in texts()]
    readings = trained(*overrides).read(originals)
    quotes = [(original, e) for original, found in zip(originals, readings.evidence) for e in found]
    assert quotes
    assert all(e.text == original[e.start : e.end] for original, e in quotes)
    assert all(0 <= e.score <= 1 for _, e in quotes)


@every_kind
def test_every_label_given_is_quoted_and_no_other(overrides: tuple[str, ...]) -> None:
    readings = trained(*overrides).read(texts())
    for decisions, found in zip(readings.decisions, readings.evidence):
        given = {key for key, decision in zip(readings.keys, decisions) if decision == YES}
        assert {e.label for e in found} == given


def test_evidence_stays_within_the_number_asked_for() -> None:
    model = trained("classifier.max_evidence=2")
    repeated = "\n\n".join(STATED["scam"] * 2)
    found = [e for e in model.read([repeated]).evidence[0] if e.label == "scam"]
    assert 1 <= len(found) <= 2
    assert [e.start for e in found] == sorted(e.start for e in found)


@pytest.mark.parametrize("key", MODUS)
def test_the_stating_sentence_is_the_evidence(model: ModusModel, key: str) -> None:
    rows = [row for row in articles() if row["labels"] == [key]]
    readings = model.read(texts(rows))
    hits = 0
    for row, found in zip(rows, readings.evidence):
        quoted = [e for e in found if e.label == key]
        span = row["evidence"][0]
        hits += any(e.start < span["end"] and span["start"] < e.end for e in quoted)
    assert hits >= len(rows) - 1


@every_kind
def test_page_furniture_about_other_modus_changes_nothing(overrides: tuple[str, ...]) -> None:
    model, plain = trained(*overrides), texts()
    bare = model.read(plain)
    framed = model.read([FURNITURE_ABOVE + text + FURNITURE_BELOW for text in plain])
    np.testing.assert_array_equal(framed.decisions, bare.decisions)
    np.testing.assert_array_equal(framed.probabilities, bare.probabilities)
    assert [[e.text for e in found] for found in framed.evidence] == [
        [e.text for e in found] for found in bare.evidence
    ]


@pytest.mark.parametrize("line", FURNITURE_BELOW.split("\n\n")[1:4])
def test_a_line_of_page_furniture_inside_an_article_changes_nothing(model: ModusModel, line: str) -> None:
    plain = texts()[:20]
    middle = [text.replace("\n\n", f"\n\n{line}\n\n", 2) for text in plain]
    np.testing.assert_array_equal(model.read(middle).probabilities, model.read(plain).probabilities)


def test_reading_articles_together_or_alone_gives_the_same(model: ModusModel) -> None:
    together = model.read(texts()[:12])
    for i, text in enumerate(texts()[:12]):
        alone = model.read([text])
        np.testing.assert_array_equal(alone.decisions[0], together.decisions[i])
        np.testing.assert_allclose(alone.probabilities[0], together.probabilities[i], atol=1e-6)


def test_training_again_gives_the_same_model(tmp_path: Path) -> None:
    again = trained.__wrapped__()
    assert again.save(tmp_path / "again") == trained().save(tmp_path / "first")


@pytest.mark.parametrize("text", ["", " \n\n ", "Baca juga: Sindikat Jual Ginjal Dibongkar", "…", "kata " * 20_000])
def test_any_text_is_read(model: ModusModel, text: str) -> None:
    readings = model.read([text])
    assert np.isfinite(readings.probabilities).all()
    assert readings.decisions.shape == (1, len(model.keys))


def test_an_article_with_nothing_to_say_gets_no_modus(model: ModusModel) -> None:
    readings = model.read(["", "Baca juga: Sindikat Jual Ginjal Dibongkar"])
    assert (readings.decisions[:, :-1] != YES).all()
    assert readings.evidence == [[], []]


def test_no_articles_give_empty_readings(model: ModusModel) -> None:
    readings = model.read([])
    assert readings.probabilities.shape == (0, len(model.keys))
    assert readings.evidence == []


def test_tokens_beyond_the_limit_are_counted() -> None:
    limited = trained("embedding.window.max_windows=2")
    whole, cut = trained().read(texts()[:5]), limited.read(texts()[:5])
    assert (whole.n_dropped == 0).all()
    assert (cut.n_dropped > 0).all()
    np.testing.assert_array_equal(cut.n_tokens + cut.n_dropped, whole.n_tokens)


def test_labels_come_in_the_order_of_the_taxonomy(model: ModusModel) -> None:
    assert model.keys == model.settings.taxonomy.label_keys
    assert model.keys[-1] == "tppo"


def test_an_untrained_model_says_so(tmp_path: Path) -> None:
    config = train_config()
    encoder = build_encoder(config.embedding, seed=0, texts=texts())
    untrained = ModusModel(build_settings(config), encoder, None, None)
    with pytest.raises(ModelError, match="train it first"):
        untrained.read(["x"])
    with pytest.raises(ModelError, match="train it first"):
        untrained.save(tmp_path / "model")


def test_saving_gives_the_digest_of_the_folder(model: ModusModel, tmp_path: Path) -> None:
    assert model.save(tmp_path / "a") == folder_digest(tmp_path / "a") == model.save(tmp_path / "b")


def test_a_model_is_saved_as_json_and_safetensors_only(saved: Path) -> None:
    assert {p.suffix for p in saved.rglob("*") if p.is_file()} <= {".json", ".safetensors"}


def test_a_model_is_not_saved_over_another(model: ModusModel, saved: Path) -> None:
    with pytest.raises(FileExistsError):
        model.save(saved)


def every_file(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_one_changed_byte_in_any_file_is_refused(saved: Path) -> None:
    digest = folder_digest(saved)
    for path in every_file(saved):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ModelError, match=f"was changed after training: expected SHA-256 {digest}"):
            ModusModel.load(saved, digest=digest)
        path.write_bytes(content)
    assert ModusModel.load(saved, digest=digest).keys


@pytest.mark.parametrize("change", ["add", "remove", "rename"])
def test_a_file_more_or_less_or_renamed_is_refused(saved: Path, change: str) -> None:
    digest = folder_digest(saved)
    extra = saved / "encoder" / "extra.json"
    extra.write_text("{}", encoding="utf-8")
    with_extra = folder_digest(saved)
    if change == "remove":
        extra.unlink()
        digest = with_extra
    elif change == "rename":
        extra.rename(saved / "encoder" / "other.json")
        digest = with_extra
    with pytest.raises(ModelError, match="was changed after training"):
        ModusModel.load(saved, digest=digest)


def test_a_file_that_is_a_link_out_of_the_folder_is_refused(saved: Path, tmp_path: Path) -> None:
    digest = folder_digest(saved)
    outside = tmp_path / "scorer.safetensors"
    shutil.move(saved / "scorer.safetensors", outside)
    (saved / "scorer.safetensors").symlink_to(outside)
    with pytest.raises(ModelError, match="leads out of the model's folder"):
        ModusModel.load(saved, digest=digest)


def test_a_folder_that_is_a_link_out_of_the_folder_is_refused(saved: Path, tmp_path: Path) -> None:
    shutil.move(saved / "encoder", tmp_path / "encoder")
    (saved / "encoder").symlink_to(tmp_path / "encoder", target_is_directory=True)
    with pytest.raises(ModelError, match="leads out of the model's folder"):
        folder_digest(saved)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is not a tppo model: it has no model\.json"):
        ModusModel.load(tmp_path)


def test_a_model_of_a_foreign_format_is_refused(saved: Path) -> None:
    settings = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    settings["format"] = 99
    (saved / "model.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(ModelError, match="has model format 99; this version of tppo reads format"):
        ModusModel.load(saved)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "x"}'])
def test_a_damaged_description_is_refused(saved: Path, content: str) -> None:
    (saved / "model.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.json is damaged"):
        ModusModel.load(saved)


def test_a_description_with_a_key_of_its_own_is_refused(saved: Path) -> None:
    settings = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    (saved / "model.json").write_text(json.dumps({**settings, "code": "os.system"}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.json is damaged"):
        ModusModel.load(saved)


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage"])
def test_damage_to_any_file_is_a_model_error_even_without_a_digest(tmp_path: Path, damage: str) -> None:
    trained("classifier.vectors=true", "classifier.terms=true").save(tmp_path / "model")
    for path in every_file(tmp_path / "model"):
        content = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(b"" if damage == "empty" else bytes(range(64)))
        with pytest.raises(ModelError):
            ModusModel.load(tmp_path / "model")
        path.write_bytes(content)


def test_weights_of_another_width_are_refused_when_loading(saved: Path, tmp_path: Path) -> None:
    trained("embedding.dimension=8").save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "scorer.safetensors", saved / "scorer.safetensors")
    with pytest.raises(ModelError):
        ModusModel.load(saved).read(["x"])
