"""Labelling on a Ray cluster of two nodes, both on this machine: as the local engine does, whatever is killed."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from small_corpus import articles, trained, write_jsonl
from tppo.classify import ModusModel
from tppo.labelling import LabelOptions, LabelSummary, label_files, ray_engine
from tppo.labelling.ray_engine import label_with_ray

ray = pytest.importorskip("ray", reason="needs the extra ray")
from ray.cluster_utils import Cluster  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
OPTIONS = LabelOptions(rows_per_part=300)
# Of this machine's own addresses not the first: ray.init would replace that by one that others can reach.
NODE = {"num_cpus": 2, "node_ip_address": "127.0.0.2", "object_store_memory": 150 * 1024**2}


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Any]:
    """Two nodes of two CPUs each; this process is connected to the first."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        monkeypatch.setenv("RAY_worker_niceness", "0")  # else its processes wait for those of other tests
        monkeypatch.setattr(ray_engine, "_BLOCK_BYTES", 32 * 1024)  # small corpus, yet work for every actor
        nodes = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
        nodes.add_node(**NODE)
        ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
        yield nodes
        ray.shutdown()
        nodes.shutdown()


@pytest.fixture(scope="module")
def model() -> ModusModel:
    return trained()


@pytest.fixture(scope="module")
def model_folder(model: ModusModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ray") / "model"
    model.save(folder)
    return folder


def corpus(folder: Path, n: int) -> list[Path]:
    """Two files, with bad rows, ids that come twice, over the border of the files too, and copies."""
    rows = articles(n)
    for number in range(4, n, 50):
        rows[number] = {"id": f"bad-{number}", "text": ""}
    for number in range(5, n, 200):
        rows[number]["id"] = rows[number - 2]["id"]
    for number in range(60, n, 60):
        rows[number]["text"] = rows[number - 20]["text"]
    rows[-1]["id"] = rows[0]["id"]
    half = 2 * n // 3
    return [write_jsonl(folder / "a.jsonl", rows[:half]), write_jsonl(folder / "b.jsonl", rows[half:])]


def read(folder: Path, summary: LabelSummary) -> list[Any]:
    return [pq.read_table(folder / name) for name in summary.parts]


def quarantine(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "quarantine.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("copies", ["mark", "share"])
def test_the_output_equals_that_of_the_local_engine(tmp_path, model, model_folder, copies) -> None:
    files = corpus(tmp_path, 1000)
    options = LabelOptions(rows_per_part=400, copies=copies)
    here = label_files(files, tmp_path / "here", model, model_name="m", options=options)
    there = label_with_ray(files, tmp_path / "there", model, model_name="m", model_folder=model_folder, options=options)
    assert there == here
    assert there.articles == there.labelled + there.quarantined == 1000
    for ours, theirs in zip(read(tmp_path / "there", there), read(tmp_path / "here", here), strict=True):
        assert ours.equals(theirs, check_metadata=True)
    assert quarantine(tmp_path / "there") == quarantine(tmp_path / "here")


def test_a_job_that_was_stopped_is_taken_up_by_either_engine(tmp_path, model, model_folder) -> None:
    files = corpus(tmp_path, 1000)
    whole = label_files(files, tmp_path / "whole", model, model_name="m", options=OPTIONS)

    def stop(batches: Any) -> Iterator[Any]:
        from tppo.labelling import Labeller
        from tppo.labelling.pool import in_this_process

        for batch, labelled in in_this_process(Labeller(model, "m", marks=True))(batches):
            if batch.first >= 400:
                raise KeyboardInterrupt
            yield batch, labelled

    with pytest.raises(KeyboardInterrupt):
        label_files(files, tmp_path / "out", model, model_name="m", options=OPTIONS, engine=stop)
    resumed = label_with_ray(files, tmp_path / "out", model, model_name="m", model_folder=model_folder, options=OPTIONS)
    assert resumed == whole
    for ours, theirs in zip(read(tmp_path / "out", resumed), read(tmp_path / "whole", whole), strict=True):
        assert ours.equals(theirs)
    assert label_with_ray(
        files, tmp_path / "out", model, model_name="m", model_folder=model_folder, options=OPTIONS
    ) == label_files(files, tmp_path / "out", model, model_name="m", options=OPTIONS)


def test_the_command_labels_with_ray_and_takes_uris(tmp_path, in_store, capsys) -> None:
    from tppo.cli.app import app

    first, second = corpus(tmp_path, 90)
    app(
        ["label", str(first), second.as_uri(), "--out", str(tmp_path / "out"), "--engine", "ray"], standalone_mode=False
    )
    assert capsys.readouterr().out.startswith("90 articles = ")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [path for path, *_ in manifest["settings"]["inputs"]] == [str(first), second.as_uri()]


def parts_done(out: Path) -> int:
    state = out / "state.json"
    return len(json.loads(state.read_text())["summary"]["parts"]) if state.exists() else 0


def wait_for(condition: Callable[[], Any], seconds: float = 300) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"nothing came of {condition} in {seconds} s")


def actors_of(node: Any) -> list[int]:
    """The processes of a node that hold the model."""
    raylet = node.all_processes["raylet"][0].process.pid
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == raylet and b"RowLabeller" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_nothing_is_lost_or_doubled_when_a_worker_and_then_a_node_are_killed(
    tmp_path, model, model_folder, cluster
) -> None:
    files = corpus(tmp_path, 4000)
    out = tmp_path / "there"
    head, other = cluster.head_node, next(iter(cluster.worker_nodes))
    killed: list[int] = []

    def kill() -> None:
        wait_for(lambda: parts_done(out) >= 1)
        os.kill(wait_for(lambda: actors_of(head))[0], signal.SIGKILL)
        killed.append(parts_done(out))
        wait_for(lambda: parts_done(out) > killed[0] and actors_of(other))
        cluster.remove_node(other, allow_graceful=False)
        killed.append(parts_done(out))

    killer = threading.Thread(target=kill)
    killer.start()
    there = label_with_ray(files, out, model, model_name="m", model_folder=model_folder, options=OPTIONS)
    killer.join()
    here = label_files(files, tmp_path / "here", model, model_name="m", options=OPTIONS)
    assert len(killed) == 2
    assert killed[-1] < len(here.parts) - 1, "the job was over before the node was killed"
    assert there == here
    for ours, theirs in zip(read(out, there), read(tmp_path / "here", here), strict=True):
        assert ours.equals(theirs)
