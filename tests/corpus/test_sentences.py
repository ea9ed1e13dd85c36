"""Sentences end where a reader would end them, and cover the text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tppo.corpus import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Polisi menangkap perekrut.", "Korban dipulangkan."],
        ["Siapa pelakunya?", "Belum diketahui!", "Penyidik mencari."],
        ["Mereka menunggu…", "Lalu pulang."],
        ["Mereka menunggu...", "Lalu pulang."],
        ["Jumlahnya tidak sedikit.", "17 orang dipulangkan."],
    ],
)
def test_an_end_mark_before_a_capital_or_a_number_ends_a_sentence(expected):
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Korban dirawat dr. Budi di rumah sakit.",
        "Kapolres AKBP. Rina memimpin operasi itu.",
        "Menurut Prof. Dr. H. Amir, jumlahnya naik.",
        "Budi Santosa, S.H. M.H. memimpin sidang.",
        "Perusahaan itu, PT. Maju Jaya, ditutup.",
        "Rumah di Jl. Merdeka No. 7 digeledah.",
        "Kombes. Pol. Hadi membenarkan hal itu.",
        "Tersangka, dkk. Wati, ditahan.",
        "Korban berasal dari Kab. Malang dan Kec. Batu.",
    ],
)
def test_an_abbreviation_does_not_end_a_sentence(text):
    assert sentences(text) == [text]


def test_an_initial_does_not_end_a_sentence():
    assert len(sentences("Hakim I. Wayan Sudira dan M. Yusuf memimpin sidang.")) == 1


def test_a_list_number_belongs_to_its_item():
    assert sentences("1. Perekrut ditahan. 2. Korban pulang.")[0] == "1. Perekrut ditahan."


def test_a_year_at_the_end_ends_its_sentence():
    assert sentences("Itu terjadi pada 2023. Korban sudah pulang.") == [
        "Itu terjadi pada 2023.",
        "Korban sudah pulang.",
    ]


@pytest.mark.parametrize("number", ["1.500", "3.14", "Rp2.000.000", "pukul 14.05 WIB", "www.kabar.example"])
def test_a_point_inside_a_number_or_name_does_not_end_a_sentence(number):
    assert len(sentences(f"Mereka menyebut {number} dalam laporan.")) == 1


def test_a_lower_case_letter_does_not_begin_a_sentence():
    assert len(sentences("Mereka menyebut a.n. keluarga dan ... menunggu.")) == 1


@pytest.mark.parametrize(("opening", "closing"), [('"', '"'), ("“", "”"), ("'", "'"), ("«", "»"), ("(", ")")])
def test_closing_quotes_belong_to_the_sentence_they_close(opening, closing):
    first, second = f"{opening}Korban sudah pulang.{closing}", f"{opening}Kami lega.{closing}"
    assert sentences(f"{first} {second}") == [first, second]


def test_a_quote_with_its_speaker_is_one_sentence():
    assert len(sentences("“Korban sudah pulang,” kata Kapolres, Rabu.")) == 1


def test_a_newline_ends_a_sentence():
    assert sentences("Polisi Tangkap Perekrut\nKorban sudah\n\npulang.") == [
        "Polisi Tangkap Perekrut",
        "Korban sudah",
        "pulang.",
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\t\r\n"])
def test_a_blank_text_has_no_sentences(text):
    assert sentence_spans(text) == []


@pytest.mark.parametrize("word", ["kota", "hal", "nomor", "sersan"])
def test_an_ordinary_word_ends_its_sentence(word):
    assert len(sentences(f"Laporan itu menyebut satu {word}. Korban sudah pulang.")) == 2


@pytest.mark.parametrize(
    "text",
    ["." * 12_000, "a" * 20_000 + " b. Korban.", "PT. " * 4_000],
    ids=["leader dots", "one long word", "abbreviations"],
)
def test_odd_long_lines_take_no_long_time(text):
    started = time.process_time()
    sentence_spans(text)
    assert time.process_time() - started < 0.5


PIECES = [
    "Korban",
    "dr",
    "1",
    "I",
    "a.n",
    ".",
    "...",
    "?",
    "!",
    "…",
    '"',
    "”",
    "(",
    ")",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u00a0",
]
TEXTS = st.lists(st.sampled_from(PIECES)).map("".join) | st.text()


@given(TEXTS)
def test_sentences_are_in_order_and_apart(text):
    flat = [offset for span in sentence_spans(text) for offset in span]
    assert flat == sorted(flat)


@given(TEXTS)
def test_every_character_that_is_not_blank_lies_in_a_sentence(text):
    covered = {i for start, end in sentence_spans(text) for i in range(start, end)}
    assert all(i in covered for i, char in enumerate(text) if not char.isspace())


@given(TEXTS)
def test_a_sentence_is_not_empty_and_has_no_outer_blanks_and_no_newline(text):
    for sentence in sentences(text):
        assert sentence
        assert sentence == sentence.strip()
        assert "\n" not in sentence
