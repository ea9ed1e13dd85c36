"""The MLflow UI as a user sees it, in headless Chromium: runs, view of scores, Compare, a plot, the registered model.

With ``TPPO_SCREENSHOTS=folder`` what is seen is also written there as PNG files.
"""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace, new_workplace

from small_corpus import train_config
from tppo.train import train

pytestmark = pytest.mark.slow

VECTORS = ("classifier.terms=false", "classifier.whole=false")
RUNS = (
    ("embedding.dimension=2", *VECTORS),
    ("embedding.dimension=8", *VECTORS),
    ("embedding.dimension=32", *VECTORS),
    ("classifier=vectors-linear",),
    ("classifier=tfidf-linear",),
    ("embedding=static-id", *VECTORS),
)
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ui(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`tppo ui` over a store with six runs; its address. Trains only if there is a browser."""
    place = new_workplace(tmp_path_factory.mktemp("ui"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        place.enter(monkeypatch)
        for overrides in RUNS:
            train(train_config(place.corpus, "classifier.n_folds=2", *overrides))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (place.folder / "ui.log").open("w")
    command = ["tppo", "ui", "--port", str(port)]
    with log, subprocess.Popen(command, cwd=place.folder, env=place.environment(), stdout=log, stderr=log) as process:
        try:
            yield answering(f"http://127.0.0.1:{port}", process, place)
        finally:
            process.terminate()
            process.wait(30)


def answering(address: str, process: subprocess.Popen[bytes], place: Workplace) -> str:
    for _ in range(1200):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return address
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, (place.folder / "ui.log").read_text()
            time.sleep(0.1)
    pytest.fail(f"no answer from {address} in two minutes: {(place.folder / 'ui.log').read_text()}")


@pytest.fixture
def page(chromium: Any, ui: str) -> Iterator[Any]:
    page = chromium.new_page(viewport={"width": 1800, "height": 720})
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture
def shoot(page: Any) -> Callable[[str], None]:
    folder = os.environ.get("TPPO_SCREENSHOTS")

    def save(name: str) -> None:
        if folder:
            page.wait_for_timeout(1500)  # plots are drawn with a delay
            page.screenshot(path=Path(folder) / f"{name}.png")

    return save


def open_runs(page: Any, ui: str) -> None:
    page.goto(f"{ui}/#/experiments/1/runs")
    page.get_by_text("6 matching runs").wait_for()
    page.get_by_role("button", name="Close").click()  # the panel of MLflow's assistant


def text_of(page: Any) -> str:
    return str(page.inner_text("body"))


def test_the_view_of_scores_answers_which_is_best_at_what_cost(page: Any, ui: str, shoot: Any) -> None:
    open_runs(page, ui)
    page.get_by_role("button", name="Views").click()
    page.get_by_text("scores", exact=True).first.click()
    page.get_by_text("label_article_ms").first.wait_for()
    page.get_by_text("svd-32 + vectors").first.wait_for()
    shown = text_of(page)
    for column in ("Encoder", "Classifier", "f1_macro", "f1_macro_lo", "f1_macro_hi", "fit_s", "label_article_ms"):
        assert column in shown
    shoot("runs")


def test_selected_runs_are_compared_by_the_names_of_their_metrics(page: Any, ui: str, shoot: Any) -> None:
    open_runs(page, ui)
    page.get_by_label("Select all runs").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("Comparing 6 Runs from 1 Experiment").wait_for()
    page.get_by_text("Parallel Coordinates Plot").wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    shown = text_of(page)
    # of a long table only the rows in sight are on the page; test/f1_macro is what the plot shows
    for name in ("test/f1_macro", "oof/f1_macro", "oof/f1/organ_trade", "oof/ece/scam", "Encoder", "Classifier"):
        assert name in shown
    shoot("compare")


def test_a_plot_of_a_run_is_shown(page: Any, ui: str, shoot: Any) -> None:
    open_runs(page, ui)
    page.get_by_role("link", name="svd-32 + vectors").first.click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("precision_recall.png", exact=True).click()
    page.locator("img[src^='blob:'], img[src*='precision_recall']").first.wait_for()
    shoot("plot")


def test_the_registered_model_is_shown_with_its_alias(page: Any, ui: str, shoot: Any) -> None:
    page.goto(f"{ui}/#/models/tppo-modus")
    page.get_by_text("Version 6").first.wait_for()
    assert "champion" in text_of(page)
    shoot("model")
