"""What the README tells to type exists."""

import re
from pathlib import Path

import pytest
import typer

from tppo.cli.app import app

REPO = Path(__file__).parents[1]


def code_of(name: str) -> str:
    """The code blocks and inline code of a Markdown file."""
    text = (REPO / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))])


DOCUMENTS = [name for name in ("README.md", "CONTRIBUTING.md") if (REPO / name).is_file()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (REPO / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|[\s`;&|])make ((?:-\S+ )*)([a-z][\w-]*)", code_of(document), flags=re.MULTILINE))
    assert {target for _, target in named} <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_named_exists(document: str) -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:^|[\s`;&|/])tppo ([a-z][\w-]*)", code_of(document), flags=re.MULTILINE))
    assert named <= commands


def test_the_readme_tells_how_to_train_and_label() -> None:
    code = code_of("README.md")
    assert "make train" in code
    assert "tppo label" in code
    assert "make test" in code
