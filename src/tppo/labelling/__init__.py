"""From article files to files of labels."""

from tppo.labelling.job import LabelSummary, label_files

__all__ = ["LabelSummary", "label_files"]
