"""The panel that shows one article."""

import io

import pytest
from rich.console import Console

from small_corpus import STATED, articles
from tppo.classify import ModusModel
from tppo.labelling.panel import article_panel


def shown(model: ModusModel, text: str, *, name: str = "models:/m/1", colour: bool = False) -> str:
    stream = io.StringIO()
    terminal = Console(file=stream, width=200, force_terminal=colour, color_system="standard" if colour else None)
    terminal.print(article_panel(model, text, model_name=name))
    return stream.getvalue()


def test_the_panel_shows_every_label_with_its_probability(model: ModusModel) -> None:
    output = shown(model, articles()[0]["text"])
    probabilities = model.read([articles()[0]["text"]]).probabilities[0]
    for key, p in zip(model.keys, probabilities):
        line = next(line for line in output.splitlines() if key in line and f"{p:.2f}" in line)
        assert any(decision in line for decision in ("yes", "no", "review"))


def test_the_panel_quotes_the_evidence_with_its_place(model: ModusModel) -> None:
    text = "\n\n" + articles()[0]["text"]
    output = shown(model, text)
    (found, *_) = model.read([text]).evidence[0]
    assert f"[{found.start}:{found.end}]" in output
    assert " ".join(found.text.split()) in output


def test_the_evidence_is_highlighted_in_the_text(model: ModusModel) -> None:
    sentence = STATED["scam"][0]
    output = shown(model, f"\n\n{sentence}\n\nHarga cabai di pasar induk naik sejak awal pekan.", colour=True)
    assert f"\x1b[1;7m{sentence}\x1b[0m" in output


@pytest.mark.parametrize("text", ["", "\n\n\n", "[bold]x[/bold] [/nope] :smile:", "x" * 5000])
def test_any_text_can_be_shown(model: ModusModel, text: str) -> None:
    assert "tppo" in shown(model, text)


def test_markup_in_an_article_is_shown_as_it_stands(model: ModusModel) -> None:
    assert "[bold]x[/bold] [/nope]" in shown(model, "[bold]x[/bold] [/nope]")


def test_markup_in_a_model_name_is_shown_as_it_stands(model: ModusModel) -> None:
    assert "out[/x]" in shown(model, "x", name="out[/x]")


def test_the_panel_says_why_a_foreign_article_gets_no_label(model: ModusModel) -> None:
    english = "Police rescued the workers who had been forced to run online scams from a guarded compound."
    assert "No label is given outright: unlike the training articles" in shown(model, english)
    assert "outright" not in shown(model, articles()[0]["text"])
