"""The default model trained on the shipped corpus, once for all tests that ask what it does on real language."""

import functools
import os

from threadpoolctl import threadpool_limits

from small_corpus import REPO
from tppo.classify import ModusModel
from tppo.config import TrainConfig, compose
from tppo.corpus import Article
from tppo.train import fit_model, read_corpus, split_articles


@functools.cache
def shipped_parts() -> tuple[TrainConfig, list[Article], list[Article]]:
    """The default configuration, and the train and the test part of the shipped corpus."""
    before = os.getcwd()
    os.chdir(REPO)  # the configuration names the corpus relative to the repository
    try:
        config = compose("train", [], TrainConfig)
        known, _ = read_corpus(config)
        split = split_articles(known, config.split, keys=config.taxonomy.label_keys, seed=config.seed)
    finally:
        os.chdir(before)
    by_id = {a.id: a for a in known}
    learn, test = ([by_id[i] for i in part if i in by_id] for part in (split.train, split.test))
    return config, learn, test


@functools.cache
def shipped_model() -> ModusModel:
    """The default model; do not change it."""
    config, learn, _ = shipped_parts()
    with threadpool_limits(1):
        return fit_model(config, learn, {})
