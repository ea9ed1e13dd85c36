"""What counts as the kind of text that was trained on, and what happens with the rest."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipped import shipped_parts
from small_corpus import articles, texts, trained
from tppo.classify import NO, YES, ModusModel
from tppo.classify.domain import HIGHEST, LOWEST, TWINS, Domain
from tppo.classify.table import rows
from tppo.errors import ModelError

ENGLISH = (
    "Police in Phnom Penh rescued thirty Indonesian nationals who had been forced to run online scams from a guarded "
    "compound. The workers said they were promised jobs in customer service and had their passports taken away. The "
    "embassy called it human trafficking."
)
MALAY = (
    "Polis menahan lima lelaki kerana disyaki menyeludup pekerja asing tanpa permit menerusi jeti haram awal pagi "
    "semalam. Ketua Polis Daerah berkata, kesemua mangsa dijanjikan pekerjaan di kilang sebelum dikurung di sebuah "
    "rumah kedai. Beliau berkata, wang tunai turut dirampas. Kes disiasat mengikut Akta Antipemerdagangan Orang."
)
JAVANESE = (
    "Esuk iki pasar gedhe rame banget amarga regane lombok mudhun. Bakul-bakul padha seneng awit akeh sing tuku. Mbok "
    "Darmi kandha yen dagangane entek sadurunge jam sanga."
)
JAVANESE_REPORT = (  # with the Indonesian words that such news has
    "Pulisi nyekel telung wong sing diduga nggawa calon buruh menyang luar negeri tanpa layang resmi. Miturut "
    "Kapolres, para korban dijanjeni gaweyan ing pabrik kanthi bayaran gedhe. Saiki wong-wong mau wis dibalekake "
    "menyang omahe dhewe-dhewe ing Kediri."
)
SUNDANESE = (
    "Pulisi nangkep dua urang anu disangka ngirim pagawé ka luar nagri teu maké surat resmi. Para korban dijangjian "
    "gawé di pabrik kalayan gajih gedé, tapi nepi ka ditu kalah dikurung di hiji imah."
)
TAGALOG = (
    "Nailigtas ng pulisya ang dalawampung Pilipino na pinilit magtrabaho bilang scammer sa Cambodia. Ayon sa kanila, "
    "pinangakuan sila ng magandang trabaho ngunit kinuha ang kanilang mga pasaporte pagdating doon."
)
CODE = "def main(args):\n    for line in sys.stdin:\n        print(line.strip().split(',')[0])\n    return 0\n"
JSON = json.dumps({"id": 1, "status": "ok", "items": [{"name": "foo", "price": 12.5}, {"name": "bar"}], "next": None})
CHINESE = "警方在金边救出三十名被迫从事网络诈骗的印尼公民。"
UNLIKE = {
    "English": ENGLISH,
    "Javanese": JAVANESE,
    "Javanese report": JAVANESE_REPORT,
    "Sundanese": SUNDANESE,
    "Tagalog": TAGALOG,
    "code": CODE,
    "JSON": JSON,
}
SHORT = "Polisi menangkap makelar yang merekrut pendonor ginjal lewat media sosial."


@pytest.fixture(scope="module")
def domain() -> Domain:
    """Of the made-up corpus."""
    return Domain.fit(texts(), groups=[row["group"] or row["id"] for row in articles()])


def test_the_articles_it_was_fitted_on_are_inside(domain: Domain) -> None:
    assert {domain.reason(text) for text in texts()} == {None}


def test_the_reason_says_how_many_words_are_known_and_how_many_should_be(domain: Domain) -> None:
    reason = domain.reason(ENGLISH)
    assert reason is not None
    assert reason.startswith("unlike the training articles: ")
    assert reason.endswith(f"expected at least {domain.floor:.0%}")


@pytest.mark.parametrize("text", ["", " \n ", "...", "?! 7 #"])
def test_a_text_without_words_is_outside(domain: Domain, text: str) -> None:
    assert domain.reason(text) == "no words"


def test_indonesian_that_names_wang_and_polis_is_not_malay() -> None:
    known = Domain(frozenset(["uang", "polisi", "karena", "wang", "polis", "kes"]), usual=1.0, floor=LOWEST)
    assert known.reason("wang wang") is None  # one name, twice
    assert known.reason("polis wang karena polisi uang") is None
    assert known.reason("polis wang kes karena") == "Malay rather than Indonesian"


def test_no_word_is_of_both_standards() -> None:
    assert not set(TWINS) & set(TWINS.values())


@given(st.lists(st.sampled_from([*texts()[:5], ENGLISH, "x", "Wang"]), max_size=4).map(" ".join))
def test_capitals_make_no_difference(domain: Domain, text: str) -> None:
    assert domain.reason(text.upper()) == domain.reason(text)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_any_number_of_articles_gives_a_floor_within_the_bounds(n: int) -> None:
    fitted = Domain.fit(texts()[:n], groups=[str(i) for i in range(n)])
    assert LOWEST <= fitted.floor <= HIGHEST


def test_what_was_saved_is_loaded(domain: Domain, tmp_path: Path) -> None:
    domain.save(tmp_path / "domain.json")
    assert Domain.load(tmp_path / "domain.json") == domain


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"known": 3, "usual": 1, "floor": 0}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "domain.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"words of the training articles .*domain\.json"):
        Domain.load(tmp_path / "domain.json")


def test_an_article_outside_is_never_given_a_label_and_its_row_says_why(model: ModusModel) -> None:
    readings = model.read([ENGLISH, articles()[0]["text"]])
    assert (readings.decisions[0] != YES).all()
    assert readings.evidence[0] == []
    foreign, usual = rows(readings, ids=["a", "b"], groups=[None, None], model="m")
    assert foreign["error"] == readings.reasons[0] != usual["error"] is None


def test_what_would_have_been_a_label_is_for_review() -> None:
    """Every word unknown: the labels that the scorer gives turn to review, and nothing else changes."""
    model = trained()
    strict = ModusModel(
        model.settings,
        model.encoder,
        model.terms,
        model.scorer,
        Domain(frozenset(), usual=0.0, floor=0.5),
        tuned=model.tuned,
    )
    given, held = model.read(texts()).decisions, strict.read(texts()).decisions
    assert (given == YES).any()
    assert (held[given == YES] == 1).all()
    assert (held[given != YES] == given[given != YES]).all()


@pytest.mark.slow
@pytest.mark.parametrize("language", list(UNLIKE))
def test_the_default_model_abstains_on_other_languages_and_on_code(language: str, shipped_model: ModusModel) -> None:
    readings = shipped_model.read([UNLIKE[language]])
    assert str(readings.reasons[0]).startswith("unlike the training articles")
    assert (readings.decisions != YES).all()


@pytest.mark.slow
def test_the_default_model_abstains_on_malay(shipped_model: ModusModel) -> None:
    readings = shipped_model.read([MALAY])
    assert readings.reasons == ["Malay rather than Indonesian"]
    assert (readings.decisions != YES).all()


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", " ", CHINESE, "x", "TPPO 1", "lorem ipsum dolor sit amet " * 50])
def test_the_default_model_gives_no_modus_to_nothing_and_to_garbage(text: str, shipped_model: ModusModel) -> None:
    assert (shipped_model.read([text]).decisions[:, :-1] == NO).all()


@pytest.mark.slow
def test_the_default_model_reads_one_indonesian_sentence(shipped_model: ModusModel) -> None:
    readings = shipped_model.read([SHORT])
    assert readings.reasons == [None]
    assert readings.decisions[0, readings.keys.index("organ_trade")] == YES


@pytest.mark.slow
def test_the_default_model_takes_no_test_article_for_foreign(shipped_model: ModusModel) -> None:
    _, _, test = shipped_parts()
    assert set(shipped_model.read([a.text for a in test]).reasons) == {None}


@pytest.mark.slow
def test_upper_case_gets_the_same_labels(shipped_model: ModusModel) -> None:
    _, _, test = shipped_parts()
    usual, upper = (shipped_model.read([change(a.text) for a in test]).decisions == YES for change in (str, str.upper))
    assert (usual == upper).all(axis=1).mean() >= 0.95


@pytest.mark.slow
def test_a_text_of_100_000_words_is_read_and_what_is_beyond_the_limit_is_counted(shipped_model: ModusModel) -> None:
    _, _, test = shipped_parts()
    body = "\n".join(c.text for c in shipped_model.clean([a.text for a in test]))
    text = "\n".join([body] * (100_000 // len(body.split()) + 1))
    readings = shipped_model.read([text])
    assert readings.reasons == [None]
    assert readings.n_dropped[0] > 0
    assert all(text[e.start : e.end] == e.text for e in readings.evidence[0])
