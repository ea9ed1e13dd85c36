"""Scores with intervals and comparisons, from plain arrays.

Figures are in `tppo.evaluate.figures`, which imports matplotlib.
"""

from tppo.evaluate.bootstrap import Estimate
from tppo.evaluate.comparison import Comparison, compare
from tppo.evaluate.metrics import METRICS, Evaluation, calibration_error, evaluate
from tppo.evaluate.predictions import Predictions, align, text_digest

__all__ = [
    "METRICS",
    "Comparison",
    "Estimate",
    "Evaluation",
    "Predictions",
    "align",
    "calibration_error",
    "compare",
    "evaluate",
    "text_digest",
]
