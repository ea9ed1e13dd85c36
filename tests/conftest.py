"""Fixtures for every test: no network, repeatable property tests, a tiny encoder made on the spot."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before huggingface_hub is imported: it reads the variable once

import pytest
import yaml
from hypothesis import HealthCheck, settings

from shipped import train_shipped
from tppo.classify import ModusModel
from tppo.corpus import Article, CleaningRules, text_id

REPO = Path(__file__).parents[1]

settings.register_profile(
    "tppo",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("tppo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files: processes that share the work then end together."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def rules() -> CleaningRules:
    """The cleaning rules that ship with the package."""
    path = REPO / "configs" / "cleaning" / "indonesian-news.yaml"
    return CleaningRules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def shipped_model(tmp_path_factory: pytest.TempPathFactory) -> ModusModel:
    """The default model; do not change it. The processes of one test run train it once."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return train_shipped()
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "shipped-model.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "shipped-model").exists():
            train_shipped().save(shared / "shipped-model")
    return ModusModel.load(shared / "shipped-model")


@pytest.fixture(scope="session")
def article() -> Callable[..., Article]:
    """Make an Article from its text and any other fields."""

    def make(text: str = "Polisi menangkap perekrut.", **fields: object) -> Article:
        return Article(**{"id": text_id(text), "text": text, **fields})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def tiny_st_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved sentence-transformers model: one random BERT layer of width 32, 64 positions, mean pooling."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import BertWordPieceTokenizer, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    try:
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    except ImportError:  # before version 6
        from sentence_transformers.models import Pooling, Transformer

    folder = tmp_path_factory.mktemp("tiny-st")
    bert = folder / "bert"
    bert.mkdir()
    wordpiece = BertWordPieceTokenizer(lowercase=True)
    sentences = [
        "polisi menangkap perekrut pekerja migran",
        "korban dipulangkan dari kamboja",
        "ginjal dijual lewat media sosial",
        "kawin kontrak di kota wisata",
    ]
    wordpiece.train_from_iterator(sentences, vocab_size=300, min_frequency=1, show_progress=False)
    tokenizer = wordpiece._tokenizer
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        mask_token="[MASK]",
        model_max_length=64,
    )
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    model = BertModel(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
    )
    torch.random.set_rng_state(state)
    model.save_pretrained(bert)
    fast.save_pretrained(bert)
    st = SentenceTransformer(modules=[Transformer(str(bert)), Pooling(32, pooling_mode="mean")], device="cpu")
    st.save(str(folder / "st"))
    return folder / "st"
