"""From article files to files of labels."""

from tppo.labelling.batch import LabelledBatch, label_articles, label_rows, output_schema
from tppo.labelling.job import LabelSummary, label_files

__all__ = ["LabelSummary", "LabelledBatch", "label_articles", "label_files", "label_rows", "output_schema"]
