"""How the widgets look at every width and theme, each with its real Python half on a page without Jupyter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from look import FAINT, LEAVES
from playwright.sync_api import Browser, Page

from workbench.core.jobs import JobSpec
from workbench.core.messages import Usage
from workbench.evals.result import EvalOutput, EvalResult, EvalRow, Measure
from workbench.modules import TrainableModule
from workbench.runtime.machine import Gpu as GpuSnapshot
from workbench.runtime.machine import Holder, Machine
from workbench.runtime.work import jobs
from workbench.widgets.chat import Chat
from workbench.widgets.evaltable import EvalTable
from workbench.widgets.gpu import Gpu
from workbench.widgets.modelcard import ModelCard
from workbench.widgets.monitor import Monitor
from workbench.widgets.turns import Answer, Exchange

GB = 1 << 30


def evaluation() -> EvalTable:
    result = EvalResult("support-quality", ["Qwen3-4B-Instruct", "support-tone-r3"], [Measure("exact", "Exact match")], 60, keep=False)
    for i in range(60):
        a = EvalOutput("You can return it within 60 days for store credit.", "", 0.4, None, Usage(9, 9), {"exact": 1.0})
        b = EvalOutput("You can return it within 30 days for a refund.", "", 0.4, None, Usage(9, 9), {"exact": float(i % 2)})
        bad = EvalOutput(None, "timed out after 30 s.")
        result.append(EvalRow(i, "Can I return a gift without the receipt?", "Within 60 days.", (a, bad if i == 3 else b)))
    result.finish()
    return EvalTable(result)


def conversation() -> Chat:
    chat = Chat(TrainableModule("pocket"), system="Be brief.")
    code = "```python\nprint('a long line of code that has to scroll inside its own block, and does', 1 + 2)\n```"
    said = f"Order **A-1** is due. See `orders:read`:\n\n{code}\n\n- one\n- two"
    answer = Answer(0, "done", said, "Let me think.", 0.042, 2.0, 118.0, 231, 1000)
    error = {"what": "pocket was stopped.", "cause": "Its deployment was ended.", "fix": "Type start()."}
    broken = Answer(0, "error", error=error)
    chat._exchanges = [Exchange("Where is order A-1?", [answer]), Exchange("And now?", [broken])]
    return chat


def two_gpus() -> Gpu:
    view = Gpu()
    mine = (Holder("support-tone-r3", "finetune", 31 * GB, 0.78, 0.0, "j1", 1), Holder("process 88121", "outside", 8 * GB, 0.0, None, "", 2))
    card = GpuSnapshot(0, "NVIDIA H100", 0.94, 56 * GB, 80 * GB, 0.61, 512.0, 700.0, 64.0, 87.0, mine)
    view._now = Machine(1080.0, 16, 0.5, (0.5,) * 16, 9.4, 20 * GB, 64 * GB, 400 * GB, mine, (card, card), "560.35", "12.6")
    return view


@pytest.fixture
def everything(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """One of each, in states that show much."""
    support = str(Path(__file__).parent.parent / "support")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [support, os.environ.get("PYTHONPATH")])))
    job = jobs.submit(JobSpec("finetune", "scripted_backends:Scripted", "support-tone", {"script": "train(0, 30, 0.01)\nsys.exit(3)"}))
    jobs.wait(job.id, timeout=60)
    made = [Monitor(job.id), conversation(), evaluation(), two_gpus(), Gpu(), ModelCard(TrainableModule("pocket"))]
    yield made
    for widget in made:
        widget.close()


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def go(**options: Any) -> Page:
        pages.append(browser.new_page(**options))
        return pages[-1]

    yield go
    for page in pages:
        page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_leaves_its_card_and_every_word_can_be_read(everything: list[Any], fresh: Callable[..., Page], dark: bool) -> None:
    page = fresh()
    bench = Bench(page, dark=dark)
    for widget in everything:
        bench.mount(widget)
    bench.until("document.querySelectorAll('.wb-card').length === 6 && document.querySelectorAll('.tr.r').length === 50")
    page.click(".wb-chat [aria-label=Parameters]")
    page.click(".wb-evaltable .tr.r >> nth=3")
    for width in (1000, 600, 440, 300):
        page.set_viewport_size({"width": width + 32, "height": 900})
        bench.pump(0.3)
        assert page.evaluate(LEAVES) == []
    assert page.evaluate(FAINT) == []


def test_a_chinese_browser_reads_chinese(everything: list[Any], fresh: Callable[..., Page]) -> None:
    page = fresh(locale="zh-CN")
    bench = Bench(page)
    for widget in everything:
        bench.mount(widget)
    bench.until("document.querySelectorAll('.tr.r').length === 50")
    text = page.inner_text("body")
    for word in ("失败", "原因", "重新开始", "日志", "退步", "首词元", "占用者", "部署"):
        assert word in text
    assert "Cause" not in text
    assert "Held by" not in text
