"""What a run was made with: the code, by commit and digest, and the versions of the libraries under it."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

__all__ = ["code_commit", "code_digest", "environment"]

PACKAGE = Path(__file__).resolve().parents[1]


def code_commit() -> str:
    """Return the commit of this package's code, with ``+changes`` if it was changed since; ``unknown`` without git."""
    try:
        _git("ls-files", "--error-unmatch", "__init__.py")  # else a wheel inside somebody's repository
        return _git("rev-parse", "HEAD") + ("+changes" if _git("status", "--porcelain", ".") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PACKAGE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()


def code_digest() -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 over names and contents of this package's modules."""
    files = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    rows = [[name, hashlib.sha256(files[name].read_bytes()).hexdigest()] for name in sorted(files)]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def environment() -> dict[str, str]:
    """Return the versions of Python, the platform and the libraries that this package asks for."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    try:
        wanted = [line for line in requires("tppo") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        wanted = []
    for line in wanted:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
