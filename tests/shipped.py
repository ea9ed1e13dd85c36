"""The default model trained on the shipped corpus, for tests that ask what it does on real language."""

import contextlib
import functools

from threadpoolctl import threadpool_limits

from small_corpus import REPO
from tppo.classify import ModusModel
from tppo.config import TrainConfig, compose
from tppo.corpus import Article
from tppo.dataset import load_parts
from tppo.train import fit_model


@functools.cache
def shipped_parts() -> tuple[TrainConfig, list[Article], list[Article]]:
    """The default configuration, and the train and the test part of the shipped corpus."""
    with contextlib.chdir(REPO):  # the configuration names the corpus relative to the repository
        config = compose("train", [], TrainConfig)
        parts = load_parts(config)
    return config, parts.learn, parts.test


def train_shipped() -> ModusModel:
    """Train the default model."""
    config, learn, _ = shipped_parts()
    with threadpool_limits(1):
        return fit_model(config, learn, {})
