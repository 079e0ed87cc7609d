"""The model's card: how every state looks at every width, and a deployment's load, idle end and refusal in a real JupyterLab."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bench import Bench
from look import FAINT, LEAVES
from playwright.sync_api import Browser, expect

from workbench.runtime.work import jobs

GB = 1 << 30
_RANDOM = random.Random(3)
LINE = [_RANDOM.random() for _ in range(60)]
CARD: dict[str, Any] = {
    "name": "support-tone-r3",
    "state": "idle",
    "hosted": False,
    "restarting": False,
    "engine": "",
    "type": "llm",
    "reason": "",
    "details": {"ttl": 0, "restarts": 0, "context": 0, "quantization": "", "template": "", "adapters": 0},
    "fit": None,
    "base": "Qwen/Qwen3-8B",
    "meta": {"parameters": 8_190_735_360, "size": 16_381_470_720, "dtype": "bfloat16", "context": 40960, "architecture": "Qwen3ForCausalLM"},
    "steps": [],
    "log": "",
    "progress": None,
    "started_at": None,
    "now": time.time(),
    "failure": None,
    "problem": None,
    "endpoint": "",
    "code": "wb.TrainableModule('support-tone-r3').start()",
    "answers": {"count": 0, "failed": 0, "first_token": None, "first_tokens": [], "speed": None, "speeds": []},
    "load": None,
    "memory": [],
    "memory_total": 64 * GB,
    "actions": ["deploy"],
}
LOAD = {"running": 3, "waiting": 2, "cache": 0.42, "speed": 1184, "requests": 320, "rate": 1.4}
LINES = {"running": LINE, "cache": LINE, "speed": LINE, "rate": LINE}
RUNS = {
    "state": "running",
    "engine": "sentence_transformers",
    "started_at": time.time() - 4000,
    "endpoint": "http://127.0.0.1:8801/v1",
    "actions": ["stop"],
    "memory": [11 * GB, 12 * GB],
    "answers": {"count": 37, "failed": 0, "first_token": 0.042, "first_tokens": LINE, "speed": 118, "speeds": LINE},
    "load": {**LOAD, "lines": LINES},
    "details": {"ttl": 1800, "restarts": 2, "context": 8192, "quantization": "bitsandbytes", "template": "chatml", "adapters": 2},
}
STEPS = [
    {"title": "Looking for the environment vllm", "state": "done", "seconds": 8.4},
    {"title": "Loading the weights", "state": "now", "seconds": None},
]
LOG = "\n".join(f"(EngineCore pid=18572) INFO 11-21 08:29:48 [core.py:133] Initializing a V1 LLM engine, line {i}" for i in range(8))
STATES: list[dict[str, Any]] = [
    {"fit": {"fits": True, "need": 11 * GB, "free": 23 * GB, "device": "GPU 0", "fix": ""}},
    {"fit": {"fits": False, "need": 24 * GB, "free": 12 * GB, "device": "GPU 0", "fix": "gpu_memory_utilization=0.87, max_model_len=11264"}},
    {"state": "preparing", "actions": ["cancel"], "steps": STEPS, "progress": {"done": 6, "total": 17, "unit": "shards", "eta": 38}},
    {"state": "preparing", "actions": ["cancel"], "steps": STEPS, "log": LOG},
    RUNS,
    {**RUNS, "type": "embed", "load": {**LOAD, "speed": None, "cache": None, "lines": LINES}},
    {**RUNS, "load": None},
    {**RUNS, "reason": "Not answering since 11:02:31, though its process lives; restart() starts it anew", "actions": ["restart", "stop"]},
    {"state": "preparing", "restarting": True, "actions": ["cancel"], "steps": STEPS},
    {"state": "succeeded", "reason": "Nobody has asked for 30 minutes."},
    {
        "state": "failed",
        "failure": {"cause": "vLLM did not get enough memory.", "fix": "Give deploy_method(…, max_model_len=8192).", "log_tail": LOG},
    },
]
SERVE = """
import threading, workbench as wb
m = wb.TrainableModule('pocket').deploy_method(wb.deploy.dummy, text='word ' * 120, delay=0.05, ttl=4)
m.start()
asking = [threading.Thread(target=m.share(), args=('Go',)) for _ in range(3)]
for one in asking:
    one.start()
"""
HANG = """
import os, signal, workbench as wb
m = wb.TrainableModule('hangs').deploy_method(wb.deploy.dummy).start()
os.kill(m.deployment.record.pid, signal.SIGSTOP)
m
"""
REFUSED = "import workbench as wb\nm = wb.TrainableModule('pocket').deploy_method(wb.deploy.llama_cpp, n_ctx=10**10)\nm"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_state_can_be_read_at_every_width(browser: Browser, dark: bool) -> None:
    page = browser.new_page()
    bench = Bench(page, dark=dark)
    for i, state in enumerate(STATES):
        bench.mount_state(f"card{i}", "modelcard", {"card": {**CARD, **state}}, b"")
    bench.until(f"document.querySelectorAll('.wb-card').length === {len(STATES)}")
    for width in (1000, 600, 440, 300):
        page.set_viewport_size({"width": width + 32, "height": 900})
        bench.pump(0.1)
        assert page.evaluate(LEAVES) == []
    assert page.evaluate(FAINT) == []
    page.close()


@pytest.fixture
def _no_jobs_left(lab: Any) -> Iterator[None]:
    yield
    jobs.end_all()


@pytest.mark.usefixtures("_no_jobs_left")
def test_the_card_shows_what_all_ask_and_that_nobody_asks_any_more(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(SERVE, "for one in asking: one.join()")
    notebook.command("workbench:open")
    notebook.run(0)
    [job] = jobs.store().jobs(kind="deploy", active=True)
    expect(notebook.page.locator(f'.wb-it[data-id="{job.id}"]')).to_contain_text("3 running")
    card = notebook.cell(0).locator(".wb-modelcard")
    tiles = card.locator(".nums")
    expect(tiles).to_contain_text(re.compile(r"Tokens/s, all users\s*[1-9]\d* tok/s"))
    expect(tiles).to_contain_text(re.compile(r"Requests now\s*3"))
    expect(card).to_contain_text("stops after 4 s idle")
    notebook.shot("card-load", card)
    notebook.run(1)
    expect(tiles).to_contain_text(re.compile(r"Requests now\s*0"))
    expect(card).to_contain_text("Nobody has asked for 4 seconds.", timeout=30_000)
    expect(card.locator(".wb-chip").first).to_have_text(re.compile("Stopped|Idle"))
    expect(card.get_by_role("button", name="Deploy")).to_be_visible()
    notebook.shot("card-idle-end", card)


@pytest.mark.usefixtures("_no_jobs_left")
def test_what_does_not_fit_is_said_before_and_after_it_is_tried(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(REFUSED)
    notebook.run(0)
    card = notebook.cell(0).locator(".wb-modelcard")
    expect(card).to_contain_text(re.compile(r"Does not fit.*n_ctx=\d+ would"))
    card.get_by_role("button", name="Deploy").click()
    expect(card.get_by_role("alert")).to_contain_text(re.compile(r"does not fit: .* needs .* of the machine's memory.*n_ctx=\d+"))
    notebook.shot("card-refused", card)
    assert jobs.store().jobs(kind="deploy", active=True) == []


@pytest.mark.usefixtures("_no_jobs_left")
def test_an_engine_that_hangs_is_started_anew_from_its_card(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(HANG)
    notebook.run(0)
    card = notebook.cell(0).locator(".wb-modelcard")
    expect(card.locator(".wb-chip").first).to_have_text("Not answering", timeout=40_000)
    expect(card).to_contain_text("restart() starts it anew")
    notebook.shot("card-hangs", card)
    card.get_by_role("button", name="Restart").click()
    expect(card.locator(".wb-chip").first).to_have_text("Restarting")
    expect(card.locator(".wb-chip").first).to_have_text("Running", timeout=40_000)
    expect(card).to_contain_text("restarted once")
