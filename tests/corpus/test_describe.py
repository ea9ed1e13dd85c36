"""Datelines in the forms that outlets write, homonymous places, outlets and dates."""

import datetime
from pathlib import Path

import pytest
import yaml

from tppo.corpus.describe import Describer, Gazetteer, Place

PATH = Path(__file__).parents[2] / "configs" / "gazetteer" / "indonesia.yaml"
GAZETTEER = Gazetteer.model_validate(yaml.safe_load(PATH.read_text(encoding="utf-8")))
DESCRIBER = Describer(GAZETTEER)
BODY = "Polisi menangkap seorang perempuan yang diduga merekrut warga desa."


def test_the_gazetteer_has_all_provinces_cities_and_regencies():
    assert len(GAZETTEER.root) == 38
    assert sum(len(p.kota) for p in GAZETTEER.root.values()) == 98
    assert sum(len(p.kab) for p in GAZETTEER.root.values()) == 416


def test_every_town_lies_in_an_area_of_its_province():
    for province, areas in GAZETTEER.root.items():
        assert set(areas.towns.values()) <= {*areas.kota, *areas.kab}, province


@pytest.mark.parametrize(
    ("dateline", "area", "province"),
    [
        ("BATAM, Kabar.id - ", "Kota Batam", "Kepulauan Riau"),
        ("Palembang (ANTARA) - ", "Kota Palembang", "Sumatera Selatan"),
        ("TOBELO-", "Kabupaten Halmahera Utara", "Maluku Utara"),
        ("NUNUKAN---", "Kabupaten Nunukan", "Kalimantan Utara"),
        ("JAKARTA. ", "Jakarta", "DKI Jakarta"),
        ("Surabaya, Jatim Lensa. ", "Kota Surabaya", "Jawa Timur"),
        ("Banda Aceh, Sarung Online\n", "Kota Banda Aceh", "Aceh"),
        ("SUARASELAPARANG.COM – Lombok Tengah | ", "Kabupaten Lombok Tengah", "Nusa Tenggara Barat"),
        ("PatroliJurnal JAKARTA – ", "Jakarta", "DKI Jakarta"),
        ("BuzzNusantara: Jakarta, 20 Juli 2023 – ", "Jakarta", "DKI Jakarta"),
        ("Lima Puluh, Batu Bara (SMP) - ", "Kabupaten Batubara", "Sumatera Utara"),
        ("LineTimur.com-Makassar- ", "Kota Makassar", "Sulawesi Selatan"),
        ("BA'A – ", "Kabupaten Rote Ndao", "Nusa Tenggara Timur"),
        ("DELISERDANG: ", "Kabupaten Deli Serdang", "Sumatera Utara"),
    ],
)
def test_a_dateline_names_its_place(dateline, area, province):
    assert DESCRIBER.place(dateline + BODY) == Place(area, province)


def test_the_dateline_may_stand_in_a_later_line():
    assert DESCRIBER.place(f"Dua Orang Ditangkap\nBATAM - {BODY}") == Place("Kota Batam", "Kepulauan Riau")


def test_the_text_decides_between_a_city_and_a_regency_of_one_name():
    assert DESCRIBER.place(f"MALANG - {BODY}") == Place("Kota Malang", "Jawa Timur")
    regency = f"MALANG - {BODY} Bupati Malang dan DPRD Kabupaten Malang menanggapi."
    assert DESCRIBER.place(regency) == Place("Kabupaten Malang", "Jawa Timur")


def test_the_text_decides_between_towns_of_one_name():
    lombok = f"TANJUNG - {BODY} Polres Lombok Utara di Nusa Tenggara Barat masih menyelidiki."
    assert DESCRIBER.place(lombok) == Place("Kabupaten Lombok Utara", "Nusa Tenggara Barat")


@pytest.mark.parametrize(
    "text", [BODY, "", "Warga Batam dan Bintan - dua kota - menunggu.", "Ia berkata: Batam ramai."]
)
def test_a_text_without_dateline_has_no_place(text):
    assert DESCRIBER.place(text) is None


@pytest.mark.parametrize(
    ("text", "outlet"),
    [
        (f"BATAM, Kabar.id - {BODY}", "Kabar.id"),
        (f"Palembang (ANTARA) - {BODY}", "ANTARA"),
        (f"{BODY}\nCopyright © KABAR NUSA 2024", "KABAR NUSA"),
        (f"{BODY}\nArtikel ini telah tayang di Batam Siaga", "Batam Siaga"),
        (BODY, None),
    ],
)
def test_the_outlet_is_read_off_dateline_or_boilerplate(text, outlet):
    assert DESCRIBER.describe(text).outlet == outlet


def test_the_publication_date_is_a_line_of_its_own():
    original = f"Dua Orang Ditangkap\nSenin, 27 Mei 2024 06:24 WITA\nBATAM - {BODY} Penangkapan itu Minggu (26/5)."
    found = DESCRIBER.describe(f"BATAM - {BODY} Penangkapan itu Minggu (26/5).", original=original)
    assert (found.published_at, found.event_date) == (datetime.date(2024, 5, 27), datetime.date(2024, 5, 26))


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Rapat digelar Rabu (21/6/2023).", "2023-06-21"),
        ("Rapat digelar pada 21 Juni 2023.", "2023-06-21"),
        ("Rapat digelar Rabu (21/6).", "2023-06-21"),
        ("Rapat digelar 30 Desember lalu.", "2022-12-30"),
        ("Rapat digelar di aula, Rabu.", "2023-06-21"),
        ("Rapat digelar 31/2/2023.", None),
        ("Lahir 3 Maret 1990, ia ditangkap Selasa (20/6/2023).", "2023-06-20"),
        ("Gedung itu diresmikan 3 Maret 1990.", "1990-03-03"),
        ("Rapat pada 1 Januari 2030 dibatalkan.", None),
    ],
)
def test_the_event_date_takes_its_year_from_the_publication(text, date):
    found = DESCRIBER.describe(text, published_at="2023-06-24").event_date
    assert (found and found.isoformat()) == date
