"""The monitor with 100,000 points in a real browser: frames a second while a new point comes with every frame."""

from __future__ import annotations

import base64
import math
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from workbench.core.jobs import JobRecord, JobSpec, JobState, MetricRow
from workbench.widgets.base import bundle
from workbench.widgets.metrics import Columns
from workbench.widgets.record import Facts, view

from .ratio import Ratio, limit, quotient

POINTS = 100_000
SECONDS = 4
BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def job() -> tuple[dict[str, Any], bytes]:
    """What the kernel's half tells the page about a long job."""
    columns, begin = Columns(), time.time() - POINTS
    columns.extend(
        [
            MetricRow(i, i, i / 1000, begin + i, {"loss": 2 * math.exp(-i / 30_000) + 0.2 * math.sin(i * i), "learning_rate": 1e-4, "grad_norm": 1.0})
            for i in range(1, POINTS + 1)
        ]
    )
    spec = JobSpec("finetune", "llamafactory", "a-long-job", {"base_model": "pocket", "arguments": {}})
    record = JobRecord("0" * 12, spec, JobState.RUNNING, begin, started_at=begin, heartbeat_at=time.time(), step=POINTS, max_steps=2 * POINTS)
    names, data = columns.piece(0)
    message = {"job": view(record, Facts()), "gen": 1, "from": 0, "count": columns.count, "names": names, "log": "", "log_at": 0}
    return message, data


def measure() -> Iterator[Ratio]:
    message, data = job()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.set_content("<body data-jp-theme-light=true>")
        empty = page.evaluate("given => eval(given[0]).empty(given[1])", [SCRIPT, SECONDS])
        drawn = page.evaluate(
            "given => eval(given[0]).monitor(given[1])", [SCRIPT, [bundle("monitor"), message, base64.b64encode(data).decode(), SECONDS]]
        )
        browser.close()
    yield limit(f"monitor with {POINTS:,} points", drawn, "frames/s", at_least=30)
    yield quotient("… of what the browser can do", drawn, empty, "frames/s", "an empty page")
