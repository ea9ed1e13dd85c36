import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import Corpus

from tppo.errors import ModelError
from tppo.topics import TopicModel, certify, load_topics, save_topics


def test_a_fresh_process_assigns_the_same_topics(corpus: Corpus, model: TopicModel, tmp_path: Path) -> None:
    certify(model, corpus.vectors, n_seeds=1, n_subsamples=1)
    save_topics(model, tmp_path / "m")
    np.save(tmp_path / "vectors.npy", corpus.vectors)
    code = (
        "import sys, json, numpy as np; from pathlib import Path; from tppo.topics import load_topics;"
        "m = load_topics(Path(sys.argv[1])); v = np.load(sys.argv[2]);"
        "print(json.dumps([m.assign(v).tolist(), [t.words for t in m.topics]]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "m"), str(tmp_path / "vectors.npy")]
    labels, words = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert labels == model.assign(corpus.vectors).tolist()
    assert words == [list(t.words) for t in model.topics]
    again = load_topics(tmp_path / "m")
    assert again.topics == model.topics
    assert again.settings == model.settings
    assert {p.suffix for p in (tmp_path / "m").iterdir()} == {".json", ".safetensors"}


@pytest.mark.parametrize("name", ["topics.json", "topics.safetensors"])
def test_a_changed_file_is_refused(model: TopicModel, tmp_path: Path, name: str) -> None:
    save_topics(model, tmp_path)
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=name.replace(".", r"\.") + "|holds no topic model"):
        load_topics(tmp_path)


def test_a_foreign_file_is_refused(model: TopicModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no topic model"):
        load_topics(tmp_path)
    save_topics(model, tmp_path)
    (tmp_path / "topics.json").write_text("[1]")
    with pytest.raises(ModelError, match="format 2, got 'list'"):
        load_topics(tmp_path)
    (tmp_path / "topics.json").write_text('{"format": 7}')
    with pytest.raises(ModelError, match="got 7"):
        load_topics(tmp_path)
