"""What can go wrong, each kind in one table: one line and exit code 1 or 2, or a quarantined row and no good row lost."""

import csv
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from small_corpus import articles, write_jsonl
from tppo.labelling import label_files

from .conftest import REPO, Run

Setup = Callable[[Path, Path], None]


def nothing(here: Path, model: Path) -> None:
    pass
