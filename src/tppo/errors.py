"""The errors a user can cause, each with the exit code the command line gives it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["DataError", "ModelError", "TppoError", "UsageError", "nearest"]


class TppoError(Exception):
    """Something the user can mend; printed as one line, without a traceback."""

    exit_code = 1


class UsageError(TppoError):
    """A command, option or configuration value is wrong."""

    exit_code = 2


class DataError(TppoError):
    """The input as a whole cannot be used (single bad rows are quarantined instead)."""


class ModelError(TppoError):
    """A stored model is missing, damaged or not one of ours."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the valid name closest to `name`, else the list of valid names."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; valid: {', '.join(names)}" if names else ""
