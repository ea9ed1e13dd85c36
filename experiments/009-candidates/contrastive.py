"""SetFit's idea on a static encoder: tune the token vectors so that texts of one modus lie together.

Supervised contrastive loss (Khosla et al. 2020) over whole articles and sentences marked as stating a modus; two texts
are alike by the overlap of their label sets (Jaccard). Texts without a modus are only pushed away from the others.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from prepared import Prepared
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from tppo.embedding import StaticEncoder

STEPS, BATCH, RATE, TEMPERATURE = 60, 128, 0.005, 0.1


def texts_with_labels(part: Prepared) -> tuple[list[str], np.ndarray]:
    """Return the clean articles and their marked sentences with the modus that each states."""
    keys = part.config.taxonomy.modus_keys
    texts, labels = list(part.clean), [list(row[:-1]) for row in part.y]
    for article in part.articles:
        for span in article.evidence or ():
            if span.label in keys:
                texts.append(article.text[span.start : span.end])
                labels.append([key == span.label for key in keys])
    return texts, np.array(labels, dtype=np.float32)


def fine_tuned(part: Prepared, *, seed: int = 0) -> StaticEncoder:
    """Return an encoder whose token vectors were tuned on the articles of `part`."""
    import torch

    folder = part.encoder.folder
    texts, labels = texts_with_labels(part)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokens = [torch.tensor(e.ids) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    stored = load_file(folder / "model.safetensors")
    rows = torch.from_numpy(stored["embeddings"].astype(np.float32) * stored["weights"].astype(np.float32)[:, None])
    labels_t = torch.from_numpy(labels)
    torch.manual_seed(seed)
    bag = torch.nn.EmbeddingBag.from_pretrained(rows, freeze=False, mode="mean", sparse=True)
    optimiser = torch.optim.SparseAdam(bag.parameters(), lr=RATE)
    draw = np.random.default_rng(seed)
    with_modus, without = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(~labels.any(axis=1))
    for _ in range(STEPS):
        rows = np.concatenate([draw.choice(with_modus, BATCH * 3 // 4), draw.choice(without, BATCH // 4)])
        pieces = [tokens[row] for row in rows]
        offsets = torch.tensor(np.cumsum([0, *map(len, pieces[:-1])]))
        vectors = torch.nn.functional.normalize(bag(torch.cat(pieces), offsets), dim=1)
        y = labels_t[torch.from_numpy(rows)]
        both = y @ y.T
        alike = both / (y.sum(1)[:, None] + y.sum(1)[None] - both).clamp(min=1)
        alike.fill_diagonal_(0)
        logits = (vectors @ vectors.T / TEMPERATURE).masked_fill(torch.eye(len(rows), dtype=torch.bool), -1e9)
        weight = alike.sum(1)
        loss = -(alike * logits.log_softmax(1)).sum(1)[weight > 0] / weight[weight > 0]
        optimiser.zero_grad()
        loss.mean().backward()
        optimiser.step()
    with tempfile.TemporaryDirectory() as scratch:
        save_file({"embeddings": bag.weight.detach().numpy()}, Path(scratch) / "model.safetensors")
        shutil.copy(folder / "tokenizer.json", scratch)
        return StaticEncoder(Path(scratch))
