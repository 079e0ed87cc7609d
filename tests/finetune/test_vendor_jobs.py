"""Fine-tunings at vendors whose model must be deployed first, as whole jobs; and keys of jobs that never came to ask anybody."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.core.endpoints import Endpoint
from workbench.core.jobs import JobRecord, JobSpec, JobState
from workbench.core.protocols import CREDENTIALS
from workbench.core.remote_training import RemoteSpec
from workbench.runtime.work import jobs
from workbench.runtime.work.job import Job

from ..support.job_helpers import until
from ..support.scripted_http import Asked, Reply, Scripted, scripted

KEY = "sk-marked-0123456789abcdef"
ROW = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


class Vendor:
    """Replies by method and path (or action); a list is taken one after the other, its last again and again."""

    def __init__(self, replies: dict[str, Any]) -> None:
        self.replies = {k: list(v) if isinstance(v, list) else [v] for k, v in replies.items()}
        self.asked: list[str] = []

    def __call__(self, asked: Asked) -> Reply:
        path = asked.path.split("?")[0].removeprefix("/v1")
        name = asked.path.split("Action=")[1].split("&")[0] if "Action=" in asked.path else f"{asked.method} {path}"
        self.asked.append(name)
        left = self.replies.get(name, [])
        return Reply(left.pop(0) if len(left) > 1 else left[0]) if left else Reply({"error": {"message": f"no {name}"}}, status=404)


def train(server: Scripted, form: str, folder: Path, *, parts: dict[str, str] | None = None, **more: Any) -> JobRecord:
    """Submit a fine-tuning; ``more`` goes into its `RemoteSpec`."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(ROW) + "\n" for _ in range(3)))
    auth = str(more.pop("auth", ""))
    variable = str(more.pop("key_env", ""))  # else the key is one that was given as an argument
    endpoint = Endpoint(server.url, "base", source=form, auth=auth, key_env=variable, key_ref="" if variable else "held:of another process")
    spec = RemoteSpec(form, endpoint, "base", more.pop("train", str(file)), **{"options": {"poll_seconds": 0.05}, **more})
    files = {} if variable else {CREDENTIALS: json.dumps(parts or {"key": KEY})}
    return jobs.submit(JobSpec("finetune", "online", f"{form} base", spec.to_json()), files=files)


def done(job: JobRecord) -> JobRecord:
    ended = jobs.wait(job.id, timeout=60)
    assert ended.state is JobState.SUCCEEDED, jobs.log_tail(job.id)
    return ended


def test_qwen_is_deployed_before_it_is_called(home: Path, tmp_path: Path) -> None:
    def job(status: str, **more: str) -> dict[str, Any]:
        return {"request_id": "r", "output": {"job_id": "ft-1", "status": status, "model": "base", **more}}

    def deployment(status: str) -> dict[str, Any]:
        return {"request_id": "r", "output": {"deployed_model": "base-ft-1-d", "status": status, "model_name": "base-ft-1"}}

    logs = ["Step 1/2: loss=2.0", "Step 2/2: loss=1.0"]
    vendor = Vendor({
        "POST /files": {"request_id": "r", "data": {"uploaded_files": [{"name": "rows.jsonl", "file_id": "f-1"}], "failed_uploads": []}},
        "POST /fine-tunes": job("PENDING"),
        "GET /fine-tunes/ft-1": [job("QUEUING"), job("RUNNING"), job("SUCCEEDED", finetuned_output="base-ft-1")],
        "GET /fine-tunes/ft-1/logs": [{"output": {"logs": logs[:n]}} for n in (0, 1, 2)],
        "POST /deployments": deployment("PENDING"),
        "GET /deployments/base-ft-1-d": [deployment("PENDING"), deployment("RUNNING")],
    })  # fmt: skip
    with scripted(vendor) as server:
        ended = done(train(server, "qwen", tmp_path, deploy={"capacity": 4}, arguments={"n_epochs": 1}))
        sent = {f"{a.method} {a.path.removeprefix('/v1')}": a for a in server.asked}
    assert ended.result["model"] == ended.result["deployment"] == "base-ft-1-d"
    assert sent["POST /deployments"].json == {"model_name": "base-ft-1", "capacity": 4}
    assert sent["POST /fine-tunes"].json["hyper_parameters"] == {"n_epochs": 1}
    assert list(Job(ended.id).metrics()["loss"]) == [2.0, 1.0]
    assert {a.headers["authorization"] for a in sent.values()} == {f"Bearer {KEY}"}


def test_sensenova_prepares_a_data_set_and_serves(home: Path, tmp_path: Path) -> None:
    def job(status: str, model: str = "") -> dict[str, Any]:
        return {"job": {"id": "ft-1", "status": status, "model": "base", "fine_tuned_model": model}}

    vendor = Vendor({
        "POST /files": {"id": "f-1"},
        "POST /fine-tune/datasets": {"dataset": {"id": "d-1", "status": "PROCESSING"}},
        "GET /fine-tune/datasets/d-1": [{"dataset": {"id": "d-1", "status": s}} for s in ("PROCESSING", "READY")],
        "POST /fine-tunes": job("PENDING"),
        "GET /fine-tunes/ft-1": [job("RUNNING"), job("SUCCEEDED", "base:ft")],
        "POST /fine-tune/servings": {"job": {"id": "s-1", "status": "CREATING"}},
        "GET /fine-tune/servings/s-1": [{"job": {"id": "s-1", "status": s}} for s in ("CREATING", "RUNNING")],
    })  # fmt: skip
    with scripted(vendor) as server:
        ended = done(train(server, "sensenova", tmp_path))
        created = next(a for a in server.asked if a.path.endswith("/fine-tunes"))
        rows = next(a for a in server.asked if a.path.endswith("/files")).form["file"][0][1]
    assert created.json["training_file"] == "d-1"
    assert json.loads(rows.splitlines()[0]) == ROW["messages"]
    assert (ended.result["model"], ended.result["deployment"]) == ("base:ft", "s-1")


def test_doubao_signs_every_request_and_makes_an_endpoint(home: Path, tmp_path: Path) -> None:
    def job(phase: str, **more: Any) -> dict[str, Any]:
        return {"Result": {"Id": "mcj-1", "Status": {"Phase": phase}, **more}}

    vendor = Vendor({
        "CreateModelCustomizationJob": {"Result": {"Id": "mcj-1"}},
        "GetModelCustomizationJob": [job("Queued"), job("Running"), job("Completed", Outputs=[{"CustomModelId": "cm-1"}])],
        "GetModelCustomizationJobMetricData": {"Result": {"Items": [{"Metric": "train_loss", "Samples": [{"Step": 1, "Value": 2.0}]}]}},
        "CreateEndpoint": {"Result": {"Id": "ep-1"}},
        "GetEndpoint": [{"Result": {"Id": "ep-1", "Status": s}} for s in ("Creating", "Running")],
    })  # fmt: skip
    pair = {"access_key": "AKLTmarked0123456789", "secret_key": KEY}
    with scripted(vendor) as server:
        ended = done(train(server, "doubao", tmp_path, parts=pair, auth="volcengine", train="tos://mine/rows.jsonl"))
        proofs = [a.headers["authorization"] for a in server.asked]
        assert not any(KEY in json.dumps([a.path, a.headers, a.body.decode()]) for a in server.asked)
    assert ended.result["model"] == "ep-1"
    assert all("Credential=AKLTmarked0123456789/" in p and "Signature=" in p for p in proofs)
    assert list(Job(ended.id).metrics()["loss"]) == [2.0]


def test_a_deployment_that_fails_says_so_and_resuming_deploys_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"output": {"job_id": "ft-1", "status": "SUCCEEDED", "model": "base", "finetuned_output": "base-ft-1"}}
    vendor = Vendor({
        "POST /files": {"data": {"uploaded_files": [{"file_id": "f-1"}]}},
        "POST /fine-tunes": made,
        "GET /fine-tunes/ft-1": made,
        "GET /fine-tunes/ft-1/logs": {"output": {"logs": []}},
        "POST /deployments": {"output": {"deployed_model": "d-1", "status": "PENDING"}},
        "GET /deployments/d-1": [{"output": {"deployed_model": "d-1", "status": s}} for s in ("FAILED", "RUNNING")],
    })  # fmt: skip
    monkeypatch.setenv("MARKED_KEY", KEY)
    with scripted(vendor) as server:
        failed = jobs.wait(train(server, "qwen", tmp_path, key_env="MARKED_KEY").id, timeout=60)
        assert failed.state is JobState.FAILED
        assert failed.failure is not None
        assert "could not deploy base-ft-1" in failed.failure.cause
        assert "resume" in failed.failure.fix
        ended = done(jobs.resume(failed.id))
    assert ended.result["model"] == "d-1"
    assert [vendor.asked.count(f"POST /{what}") for what in ("files", "fine-tunes", "deployments")] == [1, 1, 2]


@pytest.mark.parametrize("end", ["no such form", "killed"])
def test_a_job_that_dies_before_it_asks_anybody_leaves_no_key(home: Path, tmp_path: Path, end: str) -> None:
    files = {CREDENTIALS: json.dumps({"key": KEY})}
    if end == "killed":
        record, _ = jobs.store().insert(JobSpec("finetune", "online", "lost", {}))
        _claimed_by_a_dead_process(record)
        place = jobs.store().place(record.id)
        place.folder.mkdir(parents=True)
        place.credentials.write_text(files[CREDENTIALS])
        assert jobs.sweep() == [record.id]
    else:
        record = jobs.wait(jobs.submit(JobSpec("finetune", "no such backend", "early", {}), files=files).id, timeout=60)
        assert record.state is JobState.FAILED
        _until_gone(lambda: (jobs.store().place(record.id).folder / CREDENTIALS).exists())
    assert not any(KEY.encode() in p.read_bytes() for p in home.rglob("*") if p.is_file())


def _claimed_by_a_dead_process(record: JobRecord) -> None:
    from workbench.store import JobWriter, Owner

    pid = os.fork()
    if not pid:
        os._exit(0 if JobWriter(jobs.store().home, record.id, Owner.of(os.getpid())).claim() else 1)
    os.waitpid(pid, 0)
    until(lambda: jobs.store().job(record.id).state is JobState.LOST, "lost")


def _until_gone(there: Callable[[], bool]) -> None:
    until(lambda: not there(), "the key's end")
