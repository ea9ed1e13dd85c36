"""From window vectors to labels with probabilities and evidence.

`ModusClassifier` (training, needs scikit-learn) is imported from `tppo.classify.modus`; what labels articles is light.
"""

from tppo.classify.features import Features
from tppo.classify.model import Evidence, ModelSettings, ModusModel, Readings, folder_digest
from tppo.classify.scorer import NO, REVIEW, YES, Scorer

__all__ = [
    "NO",
    "REVIEW",
    "YES",
    "Evidence",
    "Features",
    "ModelSettings",
    "ModusModel",
    "Readings",
    "Scorer",
    "folder_digest",
]
