"""Cleaning takes boilerplate and nothing else, and maps back to the original."""

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tppo.corpus import Article, Cleaner, CleaningRules, CleanText, Rule, read_articles

CONFIG = Path(__file__).parents[2] / "configs" / "cleaning" / "indonesian-news.yaml"
DATA = Path(__file__).parents[2] / "data"
RULES = CleaningRules.model_validate(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))
SECTIONS = ("inline", "line", "heading", "to_end")
EXAMPLES = [(section, rule, line) for section in SECTIONS for rule in getattr(RULES, section) for line in rule.examples]
KEEPS = [(section, rule, line) for section in SECTIONS for rule in getattr(RULES, section) for line in rule.keeps]
BODY = [
    "Polisi menangkap seorang perempuan yang diduga merekrut warga desa untuk bekerja di luar negeri.",
    "Korban dijanjikan gaji tinggi, tetapi paspor mereka ditahan setibanya di tempat penampungan.",
    '"Penyidik masih mencari dua orang lain," kata kepala satuan reserse kepada wartawan, Selasa.',
    "Keluarga melapor setelah kehilangan kabar selama dua pekan.",
]


def ids(cases):
    return [f"{rule.name}-{number}" for number, (_, rule, _) in enumerate(cases)]


@pytest.fixture(scope="module")
def cleaner(rules: CleaningRules) -> Cleaner:
    return Cleaner(rules)


def only(**sections: tuple[Rule, ...]) -> Cleaner:
    return Cleaner(CleaningRules(name="test", **sections))


def rule(pattern: str) -> Rule:
    return Rule(name="r", pattern=pattern)


# The shipped rules


@pytest.mark.parametrize("section", SECTIONS)
def test_every_shipped_rule_has_an_example(section):
    assert all(one.examples for one in getattr(RULES, section))


def test_shipped_rules_have_names_of_their_own():
    names = [one.name for section in SECTIONS for one in getattr(RULES, section)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("section", "one", "line"), EXAMPLES, ids=ids(EXAMPLES))
def test_a_rule_catches_its_example_by_itself(section, one, line):
    text = f"{line}\n" if section == "inline" else f"{BODY[0]}\n{line}"
    assert only(**{section: (one,)}).clean(text).text == ("" if section == "inline" else BODY[0])


@pytest.mark.parametrize(("section", "one", "line"), EXAMPLES, ids=ids(EXAMPLES))
def test_an_example_goes_from_between_paragraphs_and_takes_none_along(cleaner, section, one, line):
    before, after = (BODY, []) if section == "to_end" else (BODY[:1], BODY[1:])
    assert cleaner.clean("\n".join([*before, line, *after])).text.split("\n") == BODY


@pytest.mark.parametrize(("section", "one", "line"), KEEPS, ids=ids(KEEPS))
def test_a_line_that_a_rule_must_keep_stays(cleaner, section, one, line):
    assert cleaner.clean("\n".join([BODY[0], line, BODY[1]])).text.split("\n") == [BODY[0], line, BODY[1]]


@pytest.mark.parametrize("line", BODY)
def test_a_body_sentence_stays(cleaner, line):
    assert cleaner.clean(line).text == line


def test_needs_hold_back_no_match():
    """A rule's `needs` are for speed: without them the shipped articles come out the same."""
    freed = {
        section: tuple(one.model_copy(update={"needs": ("",)}) for one in getattr(RULES, section))
        for section in ("inline", "line")
    }
    freely = Cleaner(RULES.model_copy(update=freed))
    sparing = Cleaner(RULES)
    texts = [a.text for a in read_articles([DATA / "articles" / "train.jsonl"]) if isinstance(a, Article)]
    assert [t for t in texts if freely.clean(t) != sparing.clean(t)] == []


def test_a_rule_is_tried_only_where_one_of_its_needs_stands():
    needy = rule("iklan.*").model_copy(update={"needs": ("baris",)})
    assert only(line=(needy,)).clean("IKLAN BARIS\nSatu.").text == "Satu."
    assert only(line=(needy,)).clean("iklan\nSatu.").text == "iklan\nSatu."


# Sentences that earlier rules took for boilerplate:
# copyright ("dilarang mengambil", "(c)", "hak cipta"), cookie-and-app (twice), follow-and-share, caption.
@pytest.mark.parametrize(
    "line",
    [
        "Dilarang mengambil organ tubuh manusia untuk diperjualbelikan, kata dokter itu.",
        "Pasal 4 huruf (c) undang-undang itu mengancam perekrut dengan penjara lima belas tahun.",
        "Pelanggaran hak cipta juga ditemukan penyidik di kantor sindikat itu.",
        "Calon pekerja wajib memenuhi syarat dan ketentuan yang berlaku di negara tujuan.",
        "Aplikasi itu diunduh korban dari Google Play atas suruhan perekrut.",
        "Kirim uang ke kampung lewat agen resmi lebih aman.",
        "Kapolres mengatakan para korban sudah dipulangkan ke kampung halaman masing-masing. (ist)",
    ],
)
def test_a_body_sentence_that_resembles_boilerplate_stays(cleaner, line):
    assert cleaner.clean("\n".join([BODY[0], line, BODY[1]])).text.split("\n") == [BODY[0], line, BODY[1]]


# Sections


def test_an_inline_match_is_cut_out_of_its_line():
    assert only(inline=(rule(r"\[iklan\] ?"),)).clean("Korban [iklan] pulang.").text == "Korban pulang."


def test_what_an_inline_cut_brings_together_is_cleaned_too():
    assert only(inline=(rule("ab"),)).clean("Korban aabb pulang.").text == "Korban  pulang."


def test_a_line_rule_must_match_the_whole_line():
    cleaner = only(line=(rule("iklan"),))
    assert cleaner.clean("iklan\niklan baris\n  IKLAN ").text == "iklan baris"


def test_a_line_that_an_inline_cut_leaves_as_boilerplate_goes():
    assert only(inline=(rule("xx"),), line=(rule("iklan"),)).clean("Satu.\nixxklan\nDua.").text == "Satu.\nDua."


def test_a_heading_takes_the_headlines_that_follow():
    text = "Satu.\nTerkait\nHarga Cabai Naik\n\nTimnas Menang Tipis\nDua kalimat isi."
    assert only(heading=(rule("terkait"),)).clean(text).text == "Satu.\nDua kalimat isi."


@pytest.mark.parametrize(
    "paragraph",
    [
        "Korban dipulangkan.",
        'Ia berkata, "Kami pulang."',
        "(Korban dipulangkan.)",
        "Benarkah itu terjadi!",
        "Mereka dijanjikan:",
        "kata " * 26,
    ],
)
def test_a_heading_leaves_paragraphs(paragraph):
    text = f"Satu.\nTerkait\n{paragraph}"
    assert only(heading=(rule("terkait"),)).clean(text).text == f"Satu.\n{paragraph.strip()}"


def test_headlines_after_the_first_paragraph_past_a_heading_stay():
    text = "Terkait\nHarga Cabai Naik\nKorban dipulangkan.\nJudul Kecil"
    assert only(heading=(rule("terkait"),)).clean(text).text == "Korban dipulangkan.\nJudul Kecil"


def test_everything_goes_from_a_comment_block_in_the_second_half():
    text = f"{BODY[0]}\nKomentar\nSaya setuju."
    assert only(to_end=(rule("komentar"),)).clean(text).text == BODY[0]


def test_a_comment_heading_in_the_first_half_takes_nothing_along():
    text = f"Komentar\n{BODY[0]}\n{BODY[1]}"
    assert only(to_end=(rule("komentar"),)).clean(text).text == text


def test_rules_ignore_case():
    assert only(line=(rule("iklan"),)).clean("IKLAN\nSatu.").text == "Satu."


def test_without_rules_only_blanks_go():
    text = " \n Satu.  Dua. \r\n\n\t\nTiga.\n"
    assert Cleaner(CleaningRules(name="none")).clean(text).text == "Satu.  Dua.\nTiga."


@pytest.mark.parametrize("text", ["", " ", "\n \n", "iklan"])
def test_a_text_of_boilerplate_only_becomes_empty(text):
    assert only(line=(rule("iklan"),)).clean(text) == CleanText("", ())


# Offsets


def test_a_stretch_maps_to_where_it_stood():
    clean = only(line=(rule("iklan"),)).clean("Satu.\niklan\nDua.")
    assert clean.to_original(6, 10) == (12, 16)


def test_a_stretch_over_a_cut_maps_to_the_whole_of_it():
    clean = only(inline=(rule(r"\[iklan\] "),)).clean("Korban [iklan] pulang.")
    assert clean.to_original(0, 14) == (0, 22)


def test_a_stretch_that_was_cut_out_maps_to_nothing():
    assert only(line=(rule("iklan"),)).clean("Satu.\niklan\nDua.").to_clean(6, 11) is None


def test_a_stretch_cut_in_part_maps_to_what_is_left():
    assert only(line=(rule("iklan"),)).clean("Satu.\niklan\nDua.").to_clean(2, 9) == (2, 5)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 2), (0, 6)])
def test_a_stretch_outside_the_text_is_refused_with_its_offsets(start, end):
    with pytest.raises(ValueError, match=f"expected 0 <= start < end <= 5, got {start}, {end}"):
        Cleaner(CleaningRules(name="none")).clean("Satu.").to_original(start, end)


# Whatever the text

LINES = st.one_of(
    st.sampled_from([line for _, _, line in EXAMPLES + KEEPS]),
    st.sampled_from([*BODY, "", "  ", "Harga Cabai Naik", "5 comments on Harga Cabai", "{aa{bb}}", "\t(ant)\r"]),
    st.text(alphabet="ab {}[]()*#:.\n\r\t\u00a0©", max_size=12),
    st.text(max_size=12),
)
TEXTS = st.lists(LINES, max_size=12).map("\n".join)


@given(TEXTS)
def test_cleaning_a_clean_text_changes_nothing(cleaner, text):
    clean = cleaner.clean(text).text
    assert cleaner.clean(clean) == CleanText(clean, ((0, len(clean)),) if clean else ())


@given(TEXTS)
def test_the_kept_stretches_make_up_the_clean_text(cleaner, text):
    clean = cleaner.clean(text)
    assert "".join(text[start:end] for start, end in clean.kept) == clean.text


@given(TEXTS)
def test_the_kept_stretches_are_in_order_apart_and_not_empty(cleaner, text):
    flat = [offset for stretch in cleaner.clean(text).kept for offset in stretch]
    assert all(before < after for before, after in pairwise(flat))


@given(TEXTS)
def test_every_character_maps_to_itself_in_the_original(cleaner, text):
    clean = cleaner.clean(text)
    spans = [clean.to_original(i, i + 1) for i in range(len(clean.text))]
    assert "".join(text[start:end] for start, end in spans) == clean.text


@given(TEXTS, st.data())
def test_mapping_to_the_original_and_back_returns_the_stretch(cleaner, text, data):
    clean = cleaner.clean(text)
    if clean.text:
        start = data.draw(st.integers(0, len(clean.text) - 1))
        end = data.draw(st.integers(start + 1, len(clean.text)))
        assert clean.to_clean(*clean.to_original(start, end)) == (start, end)


@given(TEXTS)
def test_a_clean_text_has_no_blank_line_and_no_outer_blanks(cleaner, text):
    clean = cleaner.clean(text).text
    assert all(line and line == line.strip() for line in clean.split("\n")) or not clean


@pytest.mark.parametrize(
    "text",
    ["(" * 50_000, "x" + "-" * 50_000 + "a", "facebook " * 10_000 + "x", "Satu.\n\n" * 5_000, "( " + " " * 50_000],
    ids=["brackets", "dashes", "names", "blank lines", "blanks"],
)
def test_odd_long_texts_take_no_long_time(cleaner, text):
    started = time.process_time()
    cleaner.clean(text)
    assert time.process_time() - started < 2


# Rules as data


def test_a_pattern_that_does_not_compile_is_refused_with_the_pattern():
    with pytest.raises(ValidationError, match=re.escape("not a regular expression: ") + ".*'[(]'"):
        Rule(name="r", pattern="(")


def test_an_unknown_section_is_refused():
    with pytest.raises(ValidationError, match="lines\n"):
        CleaningRules.model_validate({"name": "r", "lines": []})


def test_an_unknown_field_of_a_rule_is_refused():
    with pytest.raises(ValidationError, match="regex\n"):
        Rule.model_validate({"name": "r", "pattern": "a", "regex": "a"})
