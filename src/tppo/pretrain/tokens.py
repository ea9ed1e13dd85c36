"""The tokenizer of a static encoder, and texts as flat arrays of its ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tppo.embedding import FloatMatrix, IntVector

__all__ = ["Bags", "build_tokenizer"]

_LONGEST_WORD = 40


def build_tokenizer(texts: Iterable[str], *, vocab_size: int, subwords: int) -> Any:
    """Train a WordPiece tokenizer of pieces and whole words.

    Parameters
    ----------
    texts : iterable of str
        What the vocabulary is taken from.
    vocab_size : int
        Tokens at most.
    subwords : int
        Trained pieces; the rest of the vocabulary are the most frequent words that occur at least twice.

    Returns
    -------
    tokenizers.Tokenizer
        The same for the same texts in every process.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=False)]
    )
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    # The trainer numbers "##c" pieces in hash order, which varies from run to run and decides ties between merges.
    # Naming every single character as a special token of a scratch tokenizer fixes their numbers.
    letters = sorted({letter for word in counts for letter in word})
    fixed = ["[UNK]", "[PAD]", *letters, *("##" + letter for letter in letters)]
    scratch = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    scratch.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=len(fixed) + subwords, special_tokens=fixed, show_progress=False, min_frequency=2
    )
    ranked = [item for item in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if item[1] >= 2]
    scratch.train_from_iterator((" ".join([word] * n) for word, n in ranked), trainer)
    vocab = dict(sorted(scratch.get_vocab().items(), key=lambda item: item[1]))
    for word, _ in ranked:
        if len(vocab) >= vocab_size:
            break
        vocab.setdefault(word, len(vocab))
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=_LONGEST_WORD))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, splitter, decoders.WordPiece()
    return tokenizer


class Bags:
    """Texts as one flat array of token ids with offsets.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Gives the ids.
    texts : sequence of str
        One bag each; a text without tokens holds the unknown token.
    limit : int, optional
        Tokens read of each text.
    """

    def __init__(self, tokenizer: Any, texts: Sequence[str], limit: int | None = None) -> None:
        batch = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        rows = [np.array(encoding.ids[:limit] or [0], dtype=np.int64) for encoding in batch]
        self.lengths: IntVector = np.array([len(row) for row in rows], dtype=np.int64)
        self.starts: IntVector = np.concatenate([[0], np.cumsum(self.lengths)])
        self.ids: IntVector = np.concatenate(rows)

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: IntVector) -> tuple[IntVector, IntVector]:
        """Return the ids of some texts in one array, and where each begins, as torch's embedding_bag wants them."""
        n = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(n)[:-1]])
        return self.ids[np.repeat(self.starts[rows] - offsets, n) + np.arange(n.sum())], offsets

    def encode(self, matrix: FloatMatrix) -> FloatMatrix:
        """Return the mean of each text's rows of `matrix`; shape (n_texts, dimension), float32."""
        out = np.empty((len(self), matrix.shape[1]), dtype=np.float32)
        for first in range(0, len(self), 2000):
            last = min(first + 2000, len(self))
            begin, end = self.starts[first], self.starts[last]
            out[first:last] = np.add.reduceat(matrix[self.ids[begin:end]], self.starts[first:last] - begin, axis=0)
        return np.asarray(out / self.lengths[:, None].astype(np.float32), dtype=np.float32)
