"""The extension in a real Jupyter server, with real jobs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import websocket
from jupyter_process import Jupyter

import workbench as wb
from workbench.core.jobs import JobRecord, JobSpec
from workbench.runtime.work import jobs
from workbench.server.events import SCHEMA


def start(script: str, name: str = "scripted", kind: str = "finetune", **payload: Any) -> JobRecord:
    return jobs.submit(JobSpec(kind, "scripted_backends:Scripted", name, {"script": script, **payload}))


@contextmanager
def event_bus(server: Jupyter) -> Iterator[Callable[[Callable[[dict[str, Any]], bool]], list[dict[str, Any]]]]:
    """Gives ``read(until)``: the workbench's messages up to the first that ``until`` likes."""
    url = server.url.replace("http", "ws") + f"/api/events/subscribe?token={server.token}"
    socket = websocket.create_connection(url, timeout=30, origin=server.url)

    def read(until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        end = time.monotonic() + 30
        while time.monotonic() < end:
            message = json.loads(socket.recv())
            if message.get("schema_id") == SCHEMA["$id"]:
                seen.append(message)
                if until(message):
                    return seen
        raise AssertionError(f"no such message among {len(seen)}")

    yield read
    socket.close()


def test_every_route_asks_for_the_token(server: Jupyter) -> None:
    for method, path in (("GET", "jobs"), ("GET", "jobs/x"), ("GET", "jobs/x/logs"), ("GET", "machine"), ("GET", "models"), ("POST", "jobs/x/stop")):
        assert httpx.request(method, f"{server.url}/workbench/{path}").status_code in (403, 401), path


def test_a_job_is_told_with_its_steps_and_curve_and_stops_with_a_checkpoint(client: httpx.Client) -> None:
    job = start("train(0, 2000)", name="to-stop")
    seen: dict[str, Any] = {}
    end = time.monotonic() + 30
    while (seen.get("step") or 0) < 5:
        seen = client.get(f"jobs/{job.id}").json()
        assert time.monotonic() < end, seen
    assert seen["state"] == "running"
    assert seen["max_steps"] == 2000
    assert seen["curve"][0] == 1.0
    assert seen["values"]["loss"] > 0
    assert [j["name"] for j in client.get("jobs", params={"active": 1, "kind": "finetune"}).json()["jobs"]] == ["to-stop"]

    answer = client.post(f"jobs/{job.id}/stop", json={"save": True})
    assert answer.status_code == 200
    assert answer.json()["stopping"]
    ended = jobs.wait(job.id, timeout=30)
    assert str(ended.state) == "cancelled"
    assert jobs.last_checkpoint(job.id)

    rows = client.get(f"jobs/{job.id}/metrics").json()
    assert [r["step"] for r in rows["rows"]] == list(range(1, len(rows["rows"]) + 1))
    assert client.get(f"jobs/{job.id}/metrics", params={"after": rows["cursor"]}).json()["rows"] == []

    resumed = client.post(f"jobs/{job.id}/resume", json={}).json()
    assert resumed["parent"] == job.id
    client.post(f"jobs/{resumed['id']}/stop", json={"save": False})


def test_a_deployment_is_started_anew_and_brought_back_as_it_was(client: httpx.Client) -> None:
    m = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, variant="b", ttl=900).start()
    assert m.deployment is not None
    job = m.deployment
    assert client.post(f"jobs/{job.id}/restart", json={}).json()["id"] == job.id
    m.start()  # waits until it answers again
    while job.restarts == 0:
        time.sleep(0.02)
    assert m.start()("hi")
    job.stop().wait()
    again = client.post(f"jobs/{job.id}/restart", json={}).json()
    assert (again["parent"], again["name"]) == (job.id, "nothing-b")
    assert wb.deployment(again["id"]).ttl == 900
    client.post(f"jobs/{again['id']}/stop", json={"save": False})


def test_changes_come_over_the_event_bus_and_say_when_a_job_ends(server: Jupyter, client: httpx.Client) -> None:
    with event_bus(server) as read:
        client.get("jobs")  # somebody watches
        job = start("train(0, 30)", name="watched")
        messages = read(lambda m: any(j["id"] == job.id and j["state"] == "succeeded" for j in m["jobs"]))
    told = [j for m in messages for j in m["jobs"] if j["id"] == job.id]
    assert told[-1]["step"] == 30
    assert [j["revision"] for j in told] == sorted(j["revision"] for j in told)
    assert len(told) < 30, "steps that come close together go out in one message"


def test_a_lost_job_is_told_without_anybody_writing(server: Jupyter, client: httpx.Client) -> None:
    import psutil

    with event_bus(server) as read:
        client.get("jobs")
        job = start("train(0, 5000)", name="to-lose")
        read(lambda m: any(j["id"] == job.id and (j["step"] or 0) > 2 for j in m["jobs"]))
        supervisor = jobs.store().job(job.id).supervisor_pid
        assert supervisor
        psutil.Process(supervisor).kill()
        messages = read(lambda m: any(j["id"] == job.id and j["state"] == "lost" for j in m["jobs"]))
    lost = next(j for j in messages[-1]["jobs"] if j["id"] == job.id)
    assert lost["failure"]["cause"]


def test_a_log_is_followed_from_where_the_last_look_ended(client: httpx.Client) -> None:
    job = start("for i in range(5):\n    print('línea', i, flush=True); time.sleep(0.1)", name="talks")
    text, offset = "", -1
    end = time.monotonic() + 30
    while True:
        part = client.get(f"jobs/{job.id}/logs", params={"after": offset}).json()
        text, offset = text + part["text"], part["offset"]
        if part["ended"]:
            break
        assert time.monotonic() < end
        time.sleep(0.02)
    assert [line for line in text.splitlines() if line.startswith("línea")] == [f"línea {i}" for i in range(5)]


def test_a_failed_job_says_cause_and_fix(client: httpx.Client) -> None:
    job = start("sys.exit(3)", name="fails")
    jobs.wait(job.id, timeout=30)
    seen = client.get(f"jobs/{job.id}").json()
    assert seen["state"] == "failed"
    assert seen["failure"]["cause"]
    assert seen["failure"]["fix"]


def test_no_key_leaves_the_server(client: httpx.Client) -> None:
    script = "emit('ready', url='http://127.0.0.1:9/v1', model='m')\nwhile 'stop' not in commands(): time.sleep(0.05)"
    job = start(script, name="serves", kind="deploy", serves=True, model="/models/m", arguments={"ctx": 512, "api_key": "sk-secret"})
    jobs.wait(job.id, timeout=30, ready=True)
    answer = client.get(f"jobs/{job.id}")
    key = jobs.store().place(job.id).key.read_text().strip()
    assert answer.json()["url"] == "http://127.0.0.1:9/v1"
    assert answer.json()["code"] == f"wb.deployment({job.id!r}).module().start()"
    assert key
    assert key not in answer.text
    assert "sk-secret" not in answer.text
    assert "key_file" not in answer.text
    jobs.stop(job.id, save=False)
    jobs.wait(job.id, timeout=30)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "jobs/no-such-job", 404),
        ("POST", "jobs/no-such-job/stop", 404),
        ("GET", "jobs/x/logs?after=soon", 400),
        ("GET", "jobs?limit=many", 400),
    ],
)
def test_errors_have_three_parts(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert set(answer.json()) == {"what", "cause", "fix"}


def test_the_machine_and_the_shipped_model_are_there(client: httpx.Client) -> None:
    machine = client.get("machine").json()
    assert machine["cores"] >= 1
    assert 0 < machine["memory_used"] < machine["memory_total"]
    assert machine["holders"][-1]["what"] == "system"
    models = client.get("models").json()["models"]
    assert models[0]["name"] == "pocket"
    assert models[0]["size_bytes"] > 1_000_000
