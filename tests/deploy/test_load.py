"""llama.cpp tells what it has to do while answers are being written, and a deployment that nobody asks ends, both for real."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import workbench as wb
from workbench.core.jobs import JobState
from workbench.runtime.work import jobs


def test_answers_that_are_being_written_are_the_load_and_then_it_ends(home: Path) -> None:
    module = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, ttl=4).start()
    faces = [module.share() for _ in range(3)]
    asking = [threading.Thread(target=face, args=("Count.",), kwargs={"max_tokens": 1200, "ignore_eos": True}) for face in faces]
    for one in asking:
        one.start()
    job = module.deployment
    assert job is not None
    end = time.monotonic() + 60
    while not (busy := [r for r in jobs.all_metrics(job.id) if r.values["running"] and r.values["tokens_per_second"]]) and time.monotonic() < end:
        time.sleep(0.1)
    for one in asking:
        one.join()
    assert busy
    assert 0 < busy[0].values["cache_usage"] <= 1
    assert busy[0].values["running"] <= 3
    ended = job.wait(timeout=60)
    assert ended.state is JobState.SUCCEEDED
    assert ended.result["ended"] == "idle"
    frame = ended.metrics()
    assert frame["running"].iloc[-1] == 0
    assert frame["tokens_per_second"].max() > 0
    assert frame["requests"].max() == 3
