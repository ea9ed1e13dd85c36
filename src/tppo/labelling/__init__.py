"""From article files to files of labels."""

from tppo.labelling.batch import LabelledBatch, Labeller, label_rows, output_schema
from tppo.labelling.job import LabelOptions, label_files
from tppo.labelling.summary import LabelSummary

__all__ = [
    "LabelOptions",
    "LabelSummary",
    "LabelledBatch",
    "Labeller",
    "label_files",
    "label_rows",
    "output_schema",
]
