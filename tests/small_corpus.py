"""A small made-up corpus and the models trained on it, for tests that need labelled articles but not good scores."""

import functools
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tppo.classify import ModusModel
from tppo.config import TrainConfig, compose
from tppo.corpus import Limits, article_from_row
from tppo.train import fit_model

REPO = Path(__file__).parents[1]
MODUS = ("illegal_migrant_work", "contract_marriage", "organ_trade", "scam")

STATED = {
    "illegal_migrant_work": (
        "Tekong memberangkatkan calon pekerja migran ilegal itu lewat jalur tikus tanpa dokumen.",
        "Petugas menggagalkan pengiriman pekerja migran nonprosedural dengan visa wisata.",
        "Calon pekerja migran ilegal ditampung di rumah kontrakan sebelum diseberangkan tanpa dokumen.",
        "Calo menjanjikan pekerjaan di perkebunan negeri jiran secara nonprosedural kepada calon pekerja migran.",
    ),
    "contract_marriage": (
        "Perempuan itu dinikahkan dalam kawin kontrak dengan turis lewat makelar jodoh.",
        "Korban pengantin pesanan dikawinkan dengan pria asing setelah keluarganya menerima mahar.",
        "Muncikari menawarkan kawin kontrak kepada wisatawan di kawasan vila.",
        "Agen mencari gadis desa untuk pengantin pesanan dengan imbalan mahar.",
    ),
    "organ_trade": (
        "Sindikat membeli ginjal para pendonor melalui media sosial dengan bayaran ratusan juta.",
        "Makelar ginjal mengatur operasi pendonor di rumah sakit luar negeri.",
        "Tersangka merekrut pendonor untuk menjual ginjal kepada pasien kaya.",
        "Ia menawarkan ginjal miliknya dan dihubungi makelar yang mencari pendonor.",
    ),
    "scam": (
        "Mereka disekap dan dipaksa menjadi operator penipuan daring dengan target harian.",
        "Korban dipekerjakan sebagai scammer di gedung judi online yang dijaga ketat.",
        "Pemuda itu disuruh menipu lewat aplikasi kencan di markas scammer.",
        "Lowongan admin ternyata pekerjaan operator penipuan daring di markas judi online.",
    ),
}
CONTEXT = (
    "Polisi menjerat pelaku dengan pasal tindak pidana perdagangan orang.",
    "Kasus perdagangan orang (TPPO) itu ditangani gugus tugas daerah.",
    "Sosialisasi pencegahan TPPO digelar di balai desa.",
)
ORDINARY = (
    "Harga cabai di pasar induk naik sejak awal pekan.",
    "Wali kota meresmikan jembatan baru di atas sungai.",
    "Hujan deras mengguyur kawasan pegunungan hingga sore hari.",
    "Tim tuan rumah menang tipis dalam laga uji coba.",
    "Petani menyambut panen raya dengan syukuran kampung.",
    "Dinas kesehatan membuka layanan cuci darah bagi pasien gagal ginjal.",
    "Jadwal kapal feri berubah karena gelombang tinggi.",
    "Sekolah dasar itu memperoleh bantuan buku bacaan.",
    "Kantor imigrasi menambah loket paspor menjelang libur.",
    "Bank mengingatkan nasabah agar waspada terhadap pesan palsu.",
    "Warga bergotong royong membersihkan saluran air.",
    "Pelaku usaha kecil mengikuti pelatihan pembukuan.",
)
CITIES = ("KOTA LANGSAT", "TELUK DAMAR", "BUKIT PANDAN", "MUARA JATI")

# What a news page puts around an article: every line is of a kind the cleaning rules take out, and names other modus.
FURNITURE_ABOVE = "Penulis : Redaksi\n\n"
FURNITURE_BELOW = (
    "\n\nBaca juga: Sindikat Jual Ginjal Dibongkar, Pendonor Dibayar Ratusan Juta"
    "\n\nEditor: Rina"
    "\n\nTags: kawin kontrak, pengantin pesanan, TPPO"
    "\n\nCopyright © KABAR LANGSAT 2024"
    "\n\nBerita Lainnya"
    "\n\nPuluhan Pekerja Migran Ilegal Dipulangkan dari Negeri Jiran"
    "\n\nMarkas Judi Online Digerebek, Korban Dipaksa Jadi Scammer"
    "\n\nMakelar Kawin Kontrak Ditangkap di Kawasan Vila"
)


def articles(n: int = 60, *, seed: int = 7) -> list[dict[str, Any]]:
    """Rows of the Article contract: of ten, four with one modus, one with two, one with only the context label."""
    draw = random.Random(seed)
    rows = []
    for number in range(n):
        kind = number % 10
        if kind < 4:
            labels = [MODUS[kind]]
        elif kind == 4:
            labels = sorted(draw.sample(MODUS, 2))
        else:
            labels = []
        tppo = kind <= 5
        stated = [(label, draw.choice(STATED[label])) for label in labels]
        sentences = [*(s for _, s in stated), *draw.sample(ORDINARY, 3)]
        sentences += [draw.choice(CONTEXT)] if tppo else [draw.choice(ORDINARY)]
        draw.shuffle(sentences)
        text = f"{draw.choice(CITIES)} - Peristiwa nomor {number} dicatat warga.\n\n" + "\n\n".join(sentences)
        rows.append(
            {
                "id": f"art-{number:03d}",
                "text": text,
                "labels": labels,
                "tppo": tppo,
                "group": f"story-{number // 2}" if number < 8 else None,
                "evidence": [
                    {"label": label, "start": text.index(s), "end": text.index(s) + len(s)} for label, s in stated
                ],
            }
        )
    return rows


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows and return the path."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


LIGHT = ("embedding=tfidf-svd", "embedding.dimension=32", "embedding.min_df=1")


def train_config(*overrides: str) -> TrainConfig:
    """The training configuration with a drawn split and few resamples; a small encoder unless another is given."""
    encoder = () if any(o.startswith("embedding=") for o in overrides) else LIGHT
    return compose("train", ["split=balanced", "n_bootstrap=20", *encoder, *overrides], TrainConfig)


@functools.cache
def trained(*overrides: str) -> ModusModel:
    """A model fitted on `articles`; the same object for the same overrides, so do not change it."""
    config = train_config(*overrides)
    limits = Limits(modus_keys=config.taxonomy.modus_keys)
    with threadpool_limits(1):
        return fit_model(config, [article_from_row(row, limits=limits) for row in articles()], {})


def texts(rows: Sequence[Mapping[str, Any]] | None = None) -> list[str]:
    """The bodies of rows, `articles()` by default."""
    return [row["text"] for row in (articles() if rows is None else rows)]
