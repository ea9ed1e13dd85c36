"""Labelling functions vote where their cue is said, and not where it is denied."""

from pathlib import Path

import pytest
import yaml

from tppo.corpus import Article, Cleaner, CleaningRules, read_articles
from tppo.corpus.weak import WeakLabeller, report
from tppo.taxonomy import Taxonomy

REPO = Path(__file__).parents[2]
TAXONOMY = Taxonomy.model_validate(yaml.safe_load((REPO / "configs/taxonomy/tppo.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def labeller(rules: CleaningRules) -> WeakLabeller:
    return WeakLabeller(TAXONOMY, Cleaner(rules))


def labels(labeller: WeakLabeller, text: str, **fields: object) -> set[str]:
    weak = labeller.label([Article(id="a", text=text, **fields)])
    return {key for key, given in zip(weak.keys, weak.labels[0]) if given}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Polisi menggagalkan keberangkatan lima PMI ilegal ke Malaysia.", "illegal_migrant_work"),
        ("Praktik kawin kontrak di Puncak melibatkan calo dan penghulu palsu.", "contract_marriage"),
        ("Sindikat jual beli ginjal merekrut donor lewat media sosial.", "organ_trade"),
        ("Mereka dipaksa menjadi operator judi online di Kamboja.", "scam"),
        ("Petugas mengungkap kasus TPPO di tiga kota.", "tppo"),
        ("Tidak hanya kawin kontrak, polisi juga menemukan pemalsuan dokumen.", "contract_marriage"),
    ],
)
def test_a_cue_that_is_said_gives_its_label(labeller, text, label):
    assert label in labels(labeller, text)


@pytest.mark.parametrize(
    "text",
    [
        "Polisi memastikan kabar sindikat jual beli ginjal itu hoaks.",
        "Kapolres membantah adanya penjualan organ di wilayahnya.",
        "Menurut ulama, haram menjual ginjal kepada siapa pun.",
        "Penyidik menyatakan peristiwa itu bukan kawin kontrak.",
        "Kasus itu tidak terkait perdagangan orang.",
        "Isu penjualan ginjal tidak benar, kata dinas kesehatan.",
    ],
)
def test_a_cue_that_is_denied_gives_none(labeller, text):
    assert labels(labeller, text) == set()


def test_a_denied_cue_votes_against(labeller):
    weak = labeller.label([Article(id="a", text="Kapolres membantah adanya penjualan organ di wilayahnya.")])
    assert weak.votes.min() == -1


def test_an_article_that_corrects_a_hoax_gives_none(labeller):
    text = "Pesan berantai menyebut sindikat jual beli ginjal beraksi di Bone."
    assert labels(labeller, text) == {"organ_trade"}
    assert labels(labeller, text, title="[SALAH] Sindikat Jual Ginjal di Bone") == set()


def test_a_teaser_gives_none(labeller):
    text = (
        "Banjir merendam tiga desa di Kebumen sejak Senin malam kemarin.\nBaca juga: Kawin Kontrak di Puncak Terbongkar"
    )
    assert labels(labeller, text) == set()


def test_evidence_is_the_sentence_in_the_original_text(labeller):
    text = "Reporter: Budi\nBanjir surut pagi ini. Polisi menangkap calo PMI ilegal. Warga lega."
    weak = labeller.label([Article(id="a", text=text)])
    assert [text[s.start : s.end] for s in weak.evidence[0]] == ["Polisi menangkap calo PMI ilegal."]


def test_the_report_counts_coverage_conflict_and_accuracy(labeller):
    articles = [
        Article(id="a", text="Polisi menangkap calo PMI ilegal.", labels=("illegal_migrant_work",), tppo=True),
        Article(id="b", text="Polisi menangkap calo PMI ilegal.", labels=(), tppo=True),
        Article(id="c", text="Kapolres membantah adanya PMI ilegal.", labels=(), tppo=False),
        Article(id="d", text="Panen raya berlangsung meriah."),
    ]
    one = {r.name: r for r in report(labeller, labeller.label(articles), articles)}["illegal_migrant_work/1"]
    assert (one.coverage, one.conflict) == (0.75, 0.0)
    assert one.accuracy == pytest.approx(2 / 3)


def test_the_rules_are_mostly_right_on_the_shipped_corpus(labeller):
    path = REPO / "data" / "articles" / "test.jsonl"
    articles = [a for a in read_articles([path]) if isinstance(a, Article)]
    weak = labeller.label(articles)
    for r in report(labeller, weak, articles):
        assert r.accuracy is None or r.accuracy >= 0.8, r
