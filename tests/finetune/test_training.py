"""The real LLaMA-Factory trains the model that ships, under the real supervisor. Builds the environment when it is not there."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from workbench import data, pocket
from workbench.core.jobs import JobRecord, JobSpec
from workbench.core.specs import FinetuneSpec
from workbench.runtime.work import jobs

from ..support.job_helpers import until

STEPS = 12
GUARD = 600.0  # seconds: an environment may have to be built first, on a busy machine


@pytest.fixture
def train(home: Path) -> Any:
    """Submit a short training of the shipped model."""

    def make(rows: Any = None, **arguments: Any) -> JobRecord:
        ref = data.load_dataset(pocket.train_file() if rows is None else rows, folder=home / "rows")
        arguments = {"max_steps": STEPS, "save_steps": 4, "eval_steps": 6, "val_size": 8, "learning_rate": 1.5e-3, **arguments}
        spec = FinetuneSpec(str(pocket.path()), str(home / "finetuned" / "dates"), ref, arguments=arguments)
        return jobs.submit(JobSpec("finetune", "llamafactory", "dates", spec.to_json()))

    return make


def ended(job: JobRecord) -> JobRecord:
    record = jobs.wait(job.id, timeout=GUARD)
    assert not record.state.active, (record, jobs.log_tail(job.id))
    return record


def measured(job: JobRecord, name: str) -> dict[int, float]:
    return {r.step: r.values[name] for r in jobs.all_metrics(job.id) if name in r.values}


def pause_at(job: JobRecord, step: int) -> int:
    """Let the job take no step after this one (or the next), and give the step where it stands."""

    def reached() -> bool:
        record = jobs.store().job(job.id)
        assert record.state.active, (record.failure, jobs.log_tail(job.id))
        return (record.step or 0) >= step

    until(reached, f"step {step}", GUARD)
    jobs.command(job.id, "pause")
    until(lambda: jobs.store().job(job.id).progress.phase == "paused", "the pause", GUARD)
    return jobs.store().job(job.id).step or 0


def test_lora_reports_every_step_survives_a_kill_and_a_stop_and_ends_as_if_nothing_had_happened(train: Any, home: Path) -> None:
    whole = ended(train())
    assert whole.state == "succeeded", whole.failure
    losses = measured(whole, "loss")
    assert list(losses) == list(range(1, STEPS + 1))
    for name in ("learning_rate", "grad_norm", "tokens_per_second", "memory"):
        assert list(measured(whole, name)) == list(losses), name
    assert list(measured(whole, "eval_loss")) == [6, STEPS]

    model = Path(whole.result["model"])
    assert model == home / "finetuned" / "dates"
    files = {p.name for p in model.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja", "adapter", "workbench.json"} <= files
    assert (model / "tokenizer.json").read_bytes() == (pocket.path() / "tokenizer.json").read_bytes()
    assert (model / "model.safetensors").stat().st_size == (pocket.path() / "model.safetensors").stat().st_size
    assert (model / "model.safetensors").read_bytes() != (pocket.path() / "model.safetensors").read_bytes()
    mark = json.loads((model / "workbench.json").read_text())
    assert mark["base_model"] == str(pocket.path())
    assert mark["job_id"] == whole.id
    assert mark["metrics"]["steps"] == whole.result["steps"] == STEPS
    notices = [e.data["text"] for e in jobs.store().events_since(whole.id) if e.event == "notice"]
    assert any("chat template is the model's own (qwen3_nothink)" in t for t in notices)

    first = train()
    pause_at(first, 6)
    pid = jobs.store().job(first.id).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    killed = ended(first)
    assert killed.state == "failed"
    assert killed.failure is not None
    assert "killed (SIGKILL)" in killed.failure.cause
    assert "resume()" in killed.failure.fix
    assert killed.failure.log_tail

    second = jobs.resume(first.id)
    stood = pause_at(second, 6)
    jobs.stop(second.id)
    assert ended(second).state == "cancelled"
    checkpoint = jobs.last_checkpoint(second.id)
    assert checkpoint is not None
    assert checkpoint[0] == stood

    third = ended(jobs.resume(second.id))
    assert third.state == "succeeded", third.failure
    assert measured(third, "loss") == losses
    assert measured(third, "eval_loss") == measured(whole, "eval_loss")
    assert Path(third.result["model"]) == home / "finetuned" / "dates-2"
    again = Path(third.result["model"]) / "model.safetensors"
    assert again.read_bytes() == (model / "model.safetensors").read_bytes()


def test_full_fine_tuning_on_messages_writes_a_whole_model(train: Any) -> None:
    rows = [
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"{i}?"}, {"role": "assistant", "content": "Yes."}]}
        for i in range(16)
    ]
    job = ended(train(rows, finetuning_type="full", max_steps=3, save_steps=3, val_size=0, learning_rate=1e-3))
    assert job.state == "succeeded", job.failure
    assert list(measured(job, "loss")) == [1, 2, 3]
    model = Path(job.result["model"])
    assert (model / "model.safetensors").stat().st_size == (pocket.path() / "model.safetensors").stat().st_size
    assert not (model / "adapter").exists()
    assert not list(model.parent.glob(".*"))


def test_what_llama_factory_refuses_is_explained(train: Any) -> None:
    job = ended(train(lora_target="no_such_layer"))
    assert job.state == "failed"
    assert job.failure is not None
    assert "lora_target" in job.failure.cause
    assert "all" in job.failure.fix
