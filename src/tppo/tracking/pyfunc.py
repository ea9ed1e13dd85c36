"""The model as MLflow serves it: a table with a column ``text`` in, a row of labels per article out.

MLflow loads this module by name and gives it the model's files; nothing is pickled.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tppo.classify.model import ModusModel, folder_digest
from tppo.classify.table import column_names, error_row, rows
from tppo.corpus.article import Article, InvalidRowError, Limits, article_from_row
from tppo.tracking.registry import logged_digest

__all__ = ["ServedModel", "example", "signature"]

_TEXTS = ["id", "group", "error"]


class ServedModel:
    """A `ModusModel` behind MLflow's pyfunc interface.

    Parameters
    ----------
    model : ModusModel
        What labels.
    name : str
        Written into the ``model`` column.
    """

    def __init__(self, model: ModusModel, name: str) -> None:
        self.model = model
        self.name = name

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Label articles.

        Parameters
        ----------
        data : pandas.DataFrame
            Column ``text``, and ``id`` and ``group`` if there are any.
        params : dict, optional
            Not used; MLflow passes it.

        Returns
        -------
        pandas.DataFrame
            The output contract, one row per input row in order. A row that is no article has its reason in ``error``.
            In a Spark worker missing texts are empty ones.
        """
        import pandas as pd

        records = data.to_dict("records")
        outcomes = [_admit(record) for record in records]
        articles = [a for a in outcomes if isinstance(a, Article)]
        readings = self.model.read([a.text for a in articles])
        labelled = iter(
            rows(readings, ids=[a.id for a in articles], groups=[a.group for a in articles], model=self.name)
        )
        out = [
            next(labelled)
            if isinstance(outcome, Article)
            # Zeros, not None: MLflow's spark_udf cannot hold a column of integers in which one is missing.
            else {
                **error_row(self.model.keys, identifier=_given_id(record), model=self.name, error=outcome),
                "n_tokens": 0,
                "n_tokens_dropped": 0,
            }
            for outcome, record in zip(outcomes, records)
        ]
        # As objects: otherwise one bad row turns the integers of all rows to floats and None to NaN, which is no JSON.
        answer = pd.DataFrame(out, columns=column_names(self.model.keys), dtype=object)
        if _in_spark():
            answer[_TEXTS] = answer[_TEXTS].fillna("")
        return answer


def _in_spark() -> bool:
    """Tell whether this is a Spark worker: there MLflow (3.17) makes the text 'None' of a missing one."""
    context = sys.modules.get("pyspark.taskcontext")
    return context is not None and context.TaskContext.get() is not None


def _given_id(record: dict[str, Any]) -> str | None:
    given = record.get("id")
    return given if isinstance(given, str) else None


def _admit(record: dict[str, Any]) -> Article | str:
    """Return the article of a record, or why it cannot be used."""
    try:
        return article_from_row({k: record.get(k) for k in ("id", "text", "group")}, limits=Limits())
    except InvalidRowError as error:
        return str(error)


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model for MLflow; `path` is what was logged as its data."""
    folder = Path(path)
    digest = logged_digest(folder) or folder_digest(folder)
    return ServedModel(ModusModel.load(folder, digest=digest), f"sha256:{digest}")


def example() -> Any:
    """Return an input example as a pandas DataFrame."""
    import pandas as pd

    return pd.DataFrame(
        {
            "id": ["contoh-1"],
            "text": ["Polisi menggagalkan keberangkatan tujuh calon pekerja migran tanpa dokumen di pelabuhan rakyat."],
        }
    )


def signature(keys: tuple[str, ...]) -> Any:
    """Return the MLflow signature: the columns read and those of the output contract."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, Object, Property, Schema

    text, number, flag, whole = DataType.string, DataType.double, DataType.boolean, DataType.long
    evidence = [
        Property("label", text),
        Property("start", whole),
        Property("end", whole),
        Property("text", text),
        Property("score", number),
    ]
    *modus, context = keys
    columns = [ColSpec(text, "id", required=False), ColSpec(Array(text), "modus")]
    for key in modus:
        columns += [
            ColSpec(number, f"p_{key}", required=False),
            ColSpec(text, f"decision_{key}", required=False),
        ]
    columns += [
        ColSpec(flag, context, required=False),
        ColSpec(number, f"p_{context}", required=False),
        ColSpec(text, f"decision_{context}", required=False),
        ColSpec(Array(Object(evidence)), "evidence"),
        ColSpec(text, "group", required=False),
        ColSpec(whole, "n_tokens", required=False),
        ColSpec(whole, "n_tokens_dropped", required=False),
        ColSpec(text, "model"),
        ColSpec(text, "error", required=False),
    ]
    inputs = Schema(
        [
            ColSpec(text, "text", required=False),
            ColSpec(text, "id", required=False),
            ColSpec(text, "group", required=False),
        ]
    )
    return ModelSignature(inputs=inputs, outputs=Schema(columns))
