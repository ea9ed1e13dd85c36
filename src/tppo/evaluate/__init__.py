"""Scores with intervals, from plain arrays.

Figures are in `tppo.evaluate.figures`, which imports matplotlib.
"""

from tppo.evaluate.metrics import METRICS, Estimate, Evaluation, calibration_error, evaluate

__all__ = ["METRICS", "Estimate", "Evaluation", "calibration_error", "evaluate"]
