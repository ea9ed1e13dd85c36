"""Sentences that the tests of encoders share."""

import pytest

SENTENCES = [
    "Polisi menangkap perekrut pekerja migran di pelabuhan.",
    "Korban dipulangkan dari Kamboja setelah disekap di markas judi daring.",
    "Perekrut menjanjikan gaji tinggi kepada pekerja migran itu.",
    "Ginjal korban dijual lewat media sosial oleh makelar.",
    "Makelar mempertemukan pendonor ginjal dengan pasien di luar negeri.",
    "Kawin kontrak di kawasan wisata melibatkan makelar dan korban perempuan.",
    "Polisi menyita paspor pekerja migran dari rumah penampungan.",
    "Korban kawin kontrak dipulangkan ke kampung halaman.",
]


@pytest.fixture
def sentences() -> list[str]:
    """Eight sentences with words in common."""
    return list(SENTENCES)
