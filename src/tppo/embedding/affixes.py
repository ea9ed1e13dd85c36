"""Indonesian affixes: the forms a word may be derived from."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["stem_candidates"]

_PARTICLES = ("lah", "kah", "pun", "nya", "ku", "mu")
_SUFFIXES = ("kan", "an", "i")
# Prefixes with the initials that they may have replaced (me + tulis = menulis).
_PREFIXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((prefix, ("",)) for prefix in ("memper", "diper", "keber", "penge", "menge")),
    ("meng", ("", "k")),
    ("meny", ("s",)),
    ("mem", ("", "p")),
    ("men", ("", "t")),
    ("me", ("",)),
    ("peng", ("", "k")),
    ("peny", ("s",)),
    ("pem", ("", "p")),
    ("pen", ("", "t")),
    *((prefix, ("",)) for prefix in ("per", "pe", "di", "ber", "be", "ter", "te", "ke", "se")),
)
_SHORTEST = 3


def stem_candidates(word: str) -> list[str]:
    """Return the word with each combination of particle, suffix and prefix taken off, itself among them.

    Which of them is a word at all is for the caller to know.
    """

    def strip(form: str, endings: Sequence[str]) -> list[str]:
        return [form[: -len(e)] for e in endings if form.endswith(e) and len(form) - len(e) >= _SHORTEST]

    bases = [word, *strip(word, _PARTICLES)]
    bases += [shorter for base in list(bases) for shorter in strip(base, _SUFFIXES)]
    found = list(bases)
    for base in bases:
        for prefix, initials in _PREFIXES:
            if base.startswith(prefix) and len(base) - len(prefix) >= _SHORTEST:
                found += [initial + base[len(prefix) :] for initial in initials]
    return [form for form in found if len(form) >= _SHORTEST]
