"""From the end of a training step to its number on a page of JupyterLab, in a real browser. The trainer is the dry run."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from playwright.sync_api import sync_playwright

from workbench.store import Store

from .drawing import BROWSER
from .ratio import Ratio, limit

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))
from jupyter_process import Jupyter, jupyter  # it lies with the tests, which need it too

STEPS, SECONDS_PER_STEP = 120, 0.1
CELL = f"""
import workbench as wb
rows = [{{"instruction": "a", "output": "b"}}] * 8
t = wb.TrainableModule("pocket", "watched").finetune_method(wb.finetune.dummy, steps={STEPS}, seconds_per_step={SECONDS_PER_STEP})
t.trainset(rows).mode("finetune").update(wait=False).monitor()
"""
NOTEBOOK = {
    "cells": [{"cell_type": "code", "id": "watch", "metadata": {}, "source": CELL, "outputs": [], "execution_count": None}],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
OPTIONS = ("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly")
_IDLE = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
_WATCH = """() => {
    const seen = (window.seen = []);
    let last = '';
    const look = () => {
        const now = document.querySelector('.wb-monitor .stats b')?.textContent ?? '';
        if (now === last || !/^[0-9,]+$/.test(now)) return;
        last = now;
        const step = Number(now.replaceAll(',', ''));
        requestAnimationFrame(() => setTimeout(() => seen.push([step, Date.now() / 1000])));  // after the frame that shows it
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def shown(lab: Jupyter) -> list[tuple[int, float]]:
    """When which step was first on the page."""
    (lab.root / "watch.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(f"{lab.url}/lab/tree/watch.ipynb?token={lab.token}&reset")
        page.wait_for_function(_IDLE, timeout=90_000)
        page.evaluate(_WATCH)
        page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-cell') }")
        page.wait_for_selector(".wb-monitor header.compact", timeout=120_000)  # the card of a job that has finished
        found = page.evaluate("window.seen")
        browser.close()
    return [(int(step), float(at)) for step, at in found]


def watched() -> list[float]:
    """Milliseconds from the end of each step to its number on the page."""
    with tempfile.TemporaryDirectory(prefix="workbench-lab-") as folder, jupyter(Path(folder, "lab"), "jupyterlab", OPTIONS) as lab:
        pages = shown(lab)
        with closing(Store(lab.home)) as store:
            ended = {row.step: row.time for row in store.metrics_since(store.jobs(kind="finetune")[0].id)}
    # before the first the page was not there yet, and after the last the card was that of a finished job
    first, last = pages[0][0], pages[-1][0]
    return [1000 * (pages[bisect_left(pages, (step,))][1] - at) for step, at in ended.items() if first <= step <= last]


def measure() -> Iterator[Ratio]:
    delays = watched()
    yield limit("a step on screen after its end, median", statistics.median(delays), "ms", at_most=250)
    yield limit("… 95 of 100 steps", statistics.quantiles(delays, n=20)[-1], "ms")
