"""The table of scores that training prints."""

import io

import numpy as np
from rich.console import Console

from tppo.cli.show import score_table
from tppo.evaluate import evaluate

LABELS = ("illegal_migrant_work", "contract_marriage", "organ_trade", "scam", "tppo")


def test_every_figure_is_whole_on_a_terminal_of_80_columns() -> None:
    draw = np.random.default_rng(0)
    truth = draw.random((1200, 5)) < 0.4
    p = np.clip(0.6 * truth + 0.4 * draw.random(truth.shape), 0, 1)
    groups = [str(i) for i in range(len(truth))]
    scores = evaluate(truth, p, p >= 0.5, labels=LABELS, macro_labels=LABELS[:4], groups=groups, n_bootstrap=50)
    out = io.StringIO()
    Console(file=out, width=80).print(score_table(scores, "title"))
    printed = out.getvalue()
    assert "…" not in printed
    assert all(f"{key} " in printed for key in LABELS)
    assert all(f" {scores.support[key]} " in printed for key in LABELS)
