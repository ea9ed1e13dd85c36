"""A tiny corpus of four subjects."""

from dataclasses import dataclass

import numpy as np

from tppo.embedding import FloatMatrix, StaticEncoder, Windows, cut_windows
from tppo.topics import article_vectors

SUBJECTS = {
    "ginjal": "Sindikat menjual ginjal pendonor di rumah sakit. Operasi dibayar makelar. Dokter organ.",
    "kapal": "Kapal mengangkut pekerja migran lewat laut. Nelayan melihat perahu di pelabuhan. Ombak tinggi di selat.",
    "sepak": "Pemain mencetak gol di stadion. Pelatih tim sepak bola memuji pertandingan liga. Suporter bersorak.",
    "beras": "Harga beras naik di pasar. Pedagang cabai mengeluh inflasi. Petani panen padi di sawah.",
}


@dataclass(frozen=True)
class Corpus:
    texts: list[str]
    ids: list[str]
    subject: list[str]
    windows: Windows
    vectors: FloatMatrix


def make_corpus(per_subject: int = 25) -> Corpus:
    rng = np.random.default_rng(0)
    texts, subject = [], []
    for name, text in SUBJECTS.items():
        words = text.replace(".", "").split()
        for _ in range(per_subject):
            sentences = [" ".join(rng.choice(words, 8)).capitalize() + "." for _ in range(3)]
            texts.append(" ".join([text, *sentences]))
            subject.append(name)
    return build(texts, subject)


def build(texts: list[str], subject: list[str]) -> Corpus:
    encoder = StaticEncoder()
    windows = cut_windows(texts, encoder)
    windows = windows.with_vectors(encoder.encode(windows.texts))
    return Corpus(texts, [f"a{i}" for i in range(len(texts))], subject, windows, article_vectors(windows))
