"""Windows cover an article, or count what they leave out."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tppo.corpus import sentence_spans
from tppo.embedding import Windows, cut_windows


class Characters:
    """Counts every character that is not blank as one token, so that cutting anywhere changes no total."""

    def __init__(self, max_tokens: int | None = None) -> None:
        self.max_tokens = max_tokens

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([sum(not char.isspace() for char in text) for text in texts], dtype=np.int64)


class Words(Characters):
    """Counts words; a number is one token per digit, as in subword vocabularies."""

    def count_tokens(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([sum(len(w) if w.isdigit() else 1 for w in t.split()) for t in texts], dtype=np.int64)


PIECES = [
    "Korban",
    "pulang",
    "a",
    "1234567",
    ". ",
    "? ",
    " ",
    "  ",
    "\n",
    "\t",
    "\u00a0",
    "B",
    "Kabupaten" * 3,
    " " * 30,
    "\t" * 30,
]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=40), max_size=4)
LIMITS = st.none() | st.integers(1, 30)
SIZES = st.integers(1, 5)


def total(text: str) -> int:
    return int(Characters().count_tokens([text])[0])


def per_article(windows: Windows) -> np.ndarray:
    return np.bincount(windows.article, minlength=windows.n_articles)


@given(TEXTS, LIMITS, SIZES, st.integers(0, 4), st.integers(0, 5))
def test_every_article_has_a_window(texts, limit, size, overlap, max_windows):
    windows = cut_windows(
        texts, Characters(limit), max_sentences=size, overlap=min(overlap, size - 1), max_windows=max_windows
    )
    assert windows.n_articles == len(texts)
    assert (per_article(windows) >= 1).all()
    assert (np.diff(windows.article) >= 0).all()


@given(TEXTS, LIMITS, SIZES, st.integers(0, 5))
def test_covered_and_dropped_tokens_are_those_of_the_text(texts, limit, size, max_windows):
    windows = cut_windows(texts, Characters(limit), max_sentences=size, max_windows=max_windows)
    assert (windows.n_tokens + windows.n_dropped).tolist() == [total(text) for text in texts]


@given(TEXTS, LIMITS, SIZES)
def test_nothing_is_dropped_without_a_most_number_of_windows(texts, limit, size):
    assert cut_windows(texts, Characters(limit), max_sentences=size, max_windows=10**9).n_dropped.sum() == 0


# longer than the encoder reads and would be truncated in silence.
@given(TEXTS, st.integers(1, 30), SIZES)
def test_no_window_is_longer_than_the_encoder_reads(texts, limit, size):
    windows = cut_windows(texts, Characters(limit), max_sentences=size, max_windows=10**9)
    assert max(Characters().count_tokens(windows.texts), default=0) <= limit


def test_a_sentence_with_a_long_number_has_no_window_longer_than_the_encoder_reads():
    windows = cut_windows(["kata " * 100 + "9" * 50 + " selesai."], Words(20))
    assert max(Words().count_tokens(windows.texts)) <= 20


@given(TEXTS, LIMITS, SIZES)
def test_only_a_blank_article_has_a_blank_window(texts, limit, size):
    windows = cut_windows(texts, Characters(limit), max_sentences=size)
    assert all(text.strip() or not texts[article].strip() for text, article in zip(windows.texts, windows.article))


@given(TEXTS, LIMITS, SIZES)
def test_spans_point_at_the_windows_in_the_text(texts, limit, size):
    windows = cut_windows(texts, Characters(limit), max_sentences=size)
    cut = [texts[article][start:end] for article, (start, end) in zip(windows.article, windows.spans)]
    assert cut == windows.texts


@given(TEXTS, LIMITS, SIZES)
def test_windows_without_overlap_are_in_order_and_apart(texts, limit, size):
    windows = cut_windows(texts, Characters(limit), max_sentences=size)
    for article in range(len(texts)):
        flat = windows.spans[windows.article == article].ravel()
        assert (np.diff(flat) >= 0).all()


@given(TEXTS, LIMITS, SIZES, st.integers(0, 4), st.integers(1, 5))
def test_covered_tokens_are_those_inside_a_window(texts, limit, size, overlap, max_windows):
    windows = cut_windows(
        texts, Characters(limit), max_sentences=size, overlap=min(overlap, size - 1), max_windows=max_windows
    )
    for article, text in enumerate(texts):
        spans = windows.spans[windows.article == article]
        inside = {i for start, end in spans for i in range(start, end) if not text[i].isspace()}
        assert windows.n_tokens[article] == len(inside)


@given(TEXTS, SIZES)
def test_no_window_has_more_sentences_than_asked_for(texts, size):
    windows = cut_windows(texts, Characters(), max_sentences=size)
    assert all(len(sentence_spans(text)) <= size for text in windows.texts)


@given(TEXTS, LIMITS, SIZES, st.integers(1, 5))
def test_no_article_has_more_windows_than_asked_for(texts, limit, size, max_windows):
    windows = cut_windows(texts, Characters(limit), max_sentences=size, max_windows=max_windows)
    assert per_article(windows).max(initial=0) <= max_windows


FOUR = "Satu. Dua dua. Tiga. Empat."


def test_a_window_is_a_sentence_unless_asked_otherwise():
    assert cut_windows([FOUR], Characters()).texts == ["Satu.", "Dua dua.", "Tiga.", "Empat."]


def test_sentences_are_packed_into_a_window():
    assert cut_windows([FOUR], Characters(), max_sentences=3).texts == ["Satu. Dua dua. Tiga.", "Empat."]


def test_windows_share_the_sentences_of_the_overlap():
    texts = cut_windows([FOUR], Characters(), max_sentences=2, overlap=1).texts
    assert texts == ["Satu. Dua dua.", "Dua dua. Tiga.", "Tiga. Empat."]


def test_a_window_holds_the_sentences_that_fit_the_encoder():
    assert cut_windows([FOUR], Characters(12), max_sentences=4).texts == ["Satu. Dua dua.", "Tiga. Empat."]


def test_a_sentence_longer_than_the_encoder_reads_is_cut_at_blanks():
    windows = cut_windows(["kata " * 20 + "selesai."], Characters(10))
    assert {word for text in windows.texts for word in text.split()} == {"kata", "selesai."}


def test_the_tokens_of_windows_beyond_the_most_are_counted_as_dropped():
    windows = cut_windows([FOUR], Characters(), max_windows=2)
    assert (windows.n_tokens.tolist(), windows.n_dropped.tolist()) == ([12], [11])


def test_an_empty_article_has_one_empty_window():
    windows = cut_windows(["", "Satu."], Characters())
    assert (windows.texts, windows.article.tolist(), windows.spans.tolist()) == (
        ["", "Satu."],
        [0, 1],
        [[0, 0], [0, 5]],
    )


def test_no_articles_have_no_windows():
    windows = cut_windows([], Characters())
    assert (windows.n_articles, windows.texts, windows.spans.shape) == (0, [], (0, 2))


def test_arrays_have_the_types_they_promise():
    windows = cut_windows([FOUR], Characters())
    found = {windows.spans.dtype, windows.article.dtype, windows.n_tokens.dtype, windows.n_dropped.dtype}
    assert found == {np.dtype(np.int64)}


# The arrays handed on


def test_vectors_are_put_beside_the_windows():
    vectors = np.ones((4, 2), dtype=np.float32)
    assert cut_windows([FOUR], Characters()).with_vectors(vectors).vectors is vectors


def test_vectors_of_another_number_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r"expected one vector per window \(4\), got 3"):
        cut_windows([FOUR], Characters()).with_vectors(np.ones((3, 2), dtype=np.float32))


def test_selected_articles_keep_their_windows_and_are_numbered_anew():
    windows = cut_windows(["Satu. Dua.", "Tiga.", "Empat. Lima."], Characters(), max_windows=1)
    windows = windows.with_vectors(np.arange(3, dtype=np.float32)[:, None])
    chosen = windows.select(np.array([0, 2]))
    assert chosen.texts == ["Satu.", "Empat."]
    assert chosen.article.tolist() == [0, 1]
    assert chosen.n_dropped.tolist() == [4, 5]
    assert chosen.vectors.ravel().tolist() == [0, 2]
