"""Deployments and jobs from a terminal: the real command, a real supervisor, the dummy engine and trainer."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_helpers import workbench

from workbench.cli import main
from workbench.runtime.work import jobs

pytestmark = pytest.mark.usefixtures("home")


def test_a_deployment_from_start_to_stop() -> None:
    begun = workbench("deploy", "any-model", "--engine", "dummy", "--name", "echo", "text=hello there")
    assert begun.returncode == 0, begun.stderr
    key_file = Path(next(line.split()[2] for line in begun.stdout.splitlines() if "key file" in line))
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = key_file.read_text().strip()

    listed = workbench("ps")
    assert "echo" in listed.stdout
    assert "Running" in listed.stdout
    assert "http://127.0.0.1:" in listed.stdout
    facts = json.loads(workbench("ps", "--json").stdout)
    assert [(f["name"], f["kind"], f["backend"], f["state"]) for f in facts] == [("echo", "deploy", "dummy", "running")]
    assert facts[0]["endpoint"]["url"] in begun.stdout

    assert workbench("query", "echo", "hi").stdout == "hello there\n"
    assert workbench("query", facts[0]["id"][:5], stdin="hi").stdout == "hello there\n"

    again = workbench("deploy", "any-model", "--engine", "dummy", "text=hello there")
    assert facts[0]["endpoint"]["url"] in again.stdout  # the same model is served once

    ended = workbench("undeploy", "echo")
    assert ended.returncode == 0
    assert "is stopped" in ended.stdout
    assert workbench("ps").stdout == ""
    assert "Stopped" in workbench("ps", "--all").stdout
    every_word = begun.stdout + listed.stdout + again.stdout + json.dumps(facts)
    assert key not in every_word


def test_not_waiting_for_a_deployment_returns_at_once() -> None:
    begun = workbench("deploy", "any-model", "--engine", "dummy", "--no-wait")
    assert begun.returncode == 0, begun.stderr
    assert "workbench ps shows its address" in begun.stdout
    record = jobs.store().jobs()[0]
    jobs.wait(record.id, timeout=30, ready=True)
    assert workbench("stop", "--all").stdout.startswith(f"{record.name} ({record.id}): stopped")
    assert "Nothing runs" in workbench("stop", "--all").stderr


def test_a_fine_tuning_from_start_to_end(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"instruction": "a", "output": "b"}\n' * 4)
    done = workbench("finetune", "pocket", "--data", str(data), "--target", "mine", "--method", "dummy", "--wait")
    assert done.returncode == 0, done.stderr
    record = jobs.store().jobs(kind="finetune")[0]
    assert str(record.state) == "succeeded"
    assert record.id in done.stdout
    logs = workbench("logs", record.id, "-n", "5")
    assert logs.returncode == 0
    assert len(logs.stdout.splitlines()) <= 5


def test_following_a_log_ends_with_the_job() -> None:
    assert workbench("deploy", "m", "--engine", "dummy", "--name", "echo").returncode == 0
    follow = subprocess.Popen([sys.executable, "-m", "workbench", "logs", "-f", "echo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    assert follow.poll() is None
    workbench("stop", "echo", "--now")
    follow.communicate(timeout=60)
    assert follow.returncode == 0


def test_interrupting_a_wait_leaves_the_fine_tuning_at_work(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"instruction": "a", "output": "b"}\n' * 4)
    command = [sys.executable, "-m", "workbench", "finetune", "pocket", "-d", str(data), "-t", "mine", "--method", "dummy", "--wait"]
    waiting = subprocess.Popen([*command, "steps=2000", "seconds_per_step=0.05"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    line = waiting.stdout.readline()
    assert "has begun" in line
    time.sleep(0.5)
    waiting.send_signal(signal.SIGINT)
    _, error = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert "goes on" in error
    assert jobs.store().jobs(kind="finetune")[0].state.active


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["logs", "nothing"], ["Error: ", "nothing", "workbench ps --all"]),
        (["deploy", "pocket", "--type", "rerank"], ["pocket is a chat model, not a reranker"]),
        (["deploy", "pocket", "--type", "embd"], ["'embed' is the nearest"]),
        (["query", "nobody", "hi"], ["No deployment is called 'nobody'", "Cause: No deployment is at work", "Fix: workbench deploy nobody"]),
        (["undeploy", "nobody"], ["No deployment is called 'nobody'"]),
        (["stop"], ["stop takes one job, or --all"]),
        (["deploy", "nowhere/at/all.gguf"], ["Error: ", "Fix: "]),
        (["deploy", "m", "--engine", "dumy"], ["'dumy'", "Fix: Choose one of"]),
        (["deploy", "m", "--engine", "dummy", "txt=hi"], ["does not know the argument 'txt'", "'text' is the nearest"]),
        (["deploy", "m", "--engine", "dummy", "hello"], ["'hello' is not an argument"]),
        (["finetune", "pocket", "--data", "nowhere.jsonl", "--target", "t", "--method", "dummy"], ["Error: ", "nowhere.jsonl"]),
        (["env", "create", "lamafactory"], ["llamafactory"]),
        (["eval", "nowhere.ipynb"], ["There is no notebook nowhere.ipynb"]),
        (["eval", "pocket"], ["Models need --data"]),
        (["eval", "pocket", "-d", "nowhere.jsonl"], ["nowhere.jsonl"]),
        (["eval", "pocket", "-p", "a=1", "-d", "x"], ["are for notebooks"]),
    ],
)
def test_errors_come_in_three_parts_without_a_traceback(
    arguments: list[str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["workbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert "Traceback" not in printed.err
    for word in words:
        assert word in printed.err


def test_models_of_every_type_are_asked(tmp_path: Path) -> None:
    assert workbench("deploy", "pocket", "--engine", "llama_cpp", "--type", "embed", "--name", "vectors").returncode == 0
    assert len(json.loads(workbench("query", "vectors", "a text").stdout)) == 256
    for wrong, said in (
        (("--system", "Be brief."), "--system has no meaning here.\nCause: vectors is an embedding model"),
        (("-o", str(tmp_path)), "--out has no meaning here"),
        (("-s", "dimension=5"), "'dimensions' is the nearest"),
        (("-f", "a.png"), "takes no files"),
        (("--json",), "--json has no meaning here.\nCause: vectors is an embedding model"),
    ):
        refused = workbench("query", "vectors", "a text", *wrong)
        assert refused.returncode == 1
        assert said in refused.stderr
    assert workbench("undeploy", "vectors").returncode == 0


def test_unknown_options_and_commands_name_the_nearest() -> None:
    wrong = workbench("dploy", "pocket")
    assert (wrong.returncode, "deploy" in wrong.stderr) == (2, True)
    wrong = workbench("ps", "--jsn")
    assert (wrong.returncode, "--json" in wrong.stderr) == (2, True)


def test_every_command_explains_itself() -> None:
    commands = ["deploy", "query", "undeploy", "restart", "finetune", "eval", "ps", "logs", "stop", "env"]
    top = workbench("--help")
    assert top.returncode == 0
    assert all(c in top.stdout for c in commands)
    assert workbench("--version").stdout.startswith("workbench ")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['workbench', '--help']\nfrom workbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ['pandas', 'numpy', 'httpx', 'pydantic', 'IPython', 'ipywidgets', 'matplotlib', 'nbclient', 'sqlite3', 'torch']\n"
        "sys.stderr.write(repr([m for m in heavy if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stderr == "[]"


def test_environments_are_listed() -> None:
    listed = workbench("env", "list")
    assert listed.returncode == 0
    assert "llamafactory" in listed.stdout
