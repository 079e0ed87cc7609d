"""The magics in a real IPython shell, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import workbench as wb


@pytest.fixture
def shell(home: Path) -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    found = InteractiveShell.instance()
    found.run_line_magic("load_ext", "workbench")
    yield found
    InteractiveShell.clear_instance()


@pytest.fixture
def echo(shell: InteractiveShell) -> wb.TrainableModule:
    shell.user_ns["echo"] = module = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()
    return module


Capture = pytest.CaptureFixture[str]


def completions(shell: InteractiveShell, line: str) -> list[str]:
    with provisionalcompleter():
        return [c.text for c in shell.Completer.completions(line, len(line))]


def test_a_cell_is_said_to_the_module_in_a_variable_and_printed(shell: InteractiveShell, echo: wb.TrainableModule, capsys: Capture) -> None:
    capsys.readouterr()
    shell.run_cell_magic("chat", "echo", "hi there\n")
    assert capsys.readouterr().out.startswith("reply for hi there, and")


def test_into_puts_the_text_into_a_variable_and_options_reach_the_model(shell: InteractiveShell, echo: wb.TrainableModule, capsys: Capture) -> None:
    line = 'echo --into answer --temperature 0.25 --max-tokens 7 --system "Be brief"'
    shell.run_cell_magic("chat", line, "hi {not} $expanded")
    text = shell.user_ns["answer"]
    assert text.startswith("reply for hi {not} $expanded, ")
    assert "'temperature': 0.25" in text
    assert "'max_tokens': 7" in text
    assert capsys.readouterr().out.endswith(text + "\n")


def test_a_whole_cell_runs_as_typed(shell: InteractiveShell, echo: wb.TrainableModule) -> None:
    assert shell.run_cell("%%chat echo --into a\nline one\nline two").success
    assert shell.user_ns["a"].startswith("reply for line one\nline two, ")


def test_without_a_model_the_last_started_one_answers(shell: InteractiveShell, echo: wb.TrainableModule) -> None:
    shell.run_cell_magic("chat", "--into a", "hi")
    assert shell.user_ns["a"].startswith("reply for hi")


def test_a_running_deployment_answers_under_its_name_and_id(shell: InteractiveShell, echo: wb.TrainableModule) -> None:
    assert echo.deployment is not None
    for word in (echo.deployment.name, echo.deployment.id):
        shell.run_cell_magic("chat", f"{word} --into a", "hi")
        assert shell.user_ns.pop("a").startswith("reply for hi")
    assert len(wb.jobs()) == 1


def test_a_models_name_is_started_once_and_again_after_it_ended(shell: InteractiveShell) -> None:
    for _ in range(2):
        shell.run_cell_magic("chat", "pocket --into a --temperature 0", "Which day comes after Wednesday?")
        assert shell.user_ns["a"] == "Thursday"
    assert len(wb.jobs()) == 1
    wb.jobs()[0].stop(save=False).wait()
    shell.run_cell_magic("chat", "pocket --into a --temperature 0", "Which day comes after Wednesday?")
    assert shell.user_ns["a"] == "Thursday"


def test_a_module_that_was_not_started_is_started(shell: InteractiveShell) -> None:
    shell.user_ns["m"] = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy)
    shell.run_cell_magic("chat", "m --into a", "hi")
    assert shell.user_ns["a"].startswith("reply for hi")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("number", "no module to talk to, but a int"),
        ("echo --into 1x", "variable's name"),
        ("echo --temprature 1", "temprature"),
        ('echo "a', "cannot be read"),
    ],
)
def test_a_wrong_line_is_a_usage_error(shell: InteractiveShell, echo: wb.TrainableModule, line: str, part: str) -> None:
    shell.user_ns["number"] = 3
    with pytest.raises(UsageError, match=part):
        shell.run_cell_magic("chat", line, "hi")


@pytest.mark.parametrize("cell", ["%%chat --help", "%%chat -h\n", "%chat --help", "%%chat --help\nanything"])
def test_help_is_shown_whatever_stands_in_the_cell(shell: InteractiveShell, capsys: Capture, cell: str) -> None:
    assert shell.run_cell(cell).success
    assert "--into NAME" in capsys.readouterr().out
    assert wb.jobs() == []


@pytest.mark.parametrize(("magic", "option"), [("jobs", "--active"), ("gpu", "--help"), ("keys", "--part")])
def test_every_magic_has_help_and_a_docstring(shell: InteractiveShell, capsys: Capture, magic: str, option: str) -> None:
    shell.run_cell(f"%{magic} --help")
    assert option in capsys.readouterr().out
    assert option in shell.find_line_magic(magic).__doc__  # what '?' shows


def test_jobs_lists_them_and_takes_a_kind(shell: InteractiveShell, echo: wb.TrainableModule) -> None:
    assert [j.id for j in shell.run_line_magic("jobs", "")] == [echo.deployment.id]  # type: ignore[union-attr]
    assert shell.run_line_magic("jobs", "--kind finetune --active -n 3") == []


def test_keys_lists_places_keeps_what_is_typed_unseen_and_forgets(
    shell: InteractiveShell, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("getpass.getpass", lambda question: "sk-marked-0002")
    monkeypatch.setattr("keyring.get_password", lambda service, name: kept.get((service, name)))
    monkeypatch.setattr("keyring.set_password", lambda service, name, value: kept.update({(service, name): value}))
    monkeypatch.setattr("keyring.delete_password", lambda service, name: kept.pop((service, name)))
    shell.run_line_magic("keys", "set openai")
    assert kept == {("jupyter-llm-workbench", "openai"): "sk-marked-0002"}
    assert "openai (keyring)" in repr(shell.run_line_magic("keys", ""))
    shell.run_line_magic("keys", "remove openai")
    assert kept == {}
    assert "sk-marked" not in capsys.readouterr().out
    with pytest.raises(UsageError, match="needs a vendor"):
        shell.run_line_magic("keys", "set")


def test_gpu_in_a_terminal_is_text(shell: InteractiveShell, capsys: Capture) -> None:
    assert shell.run_line_magic("gpu", "") is None
    out = capsys.readouterr().out
    assert "CPU" in out
    assert "Memory" in out


def test_models_and_options_complete(shell: InteractiveShell, echo: wb.TrainableModule) -> None:
    shell.user_ns["number"] = 3
    assert {"echo", "nothing", "pocket", "--into"} <= set(completions(shell, "%%chat "))
    assert "number" not in completions(shell, "%%chat ")
    assert completions(shell, "%%chat ec") == ["echo"]
    assert completions(shell, "%%chat echo --te") == ["--temperature"]
    assert "--into" not in completions(shell, "%%chat echo --into x --")
    assert completions(shell, "%jobs --kind ") == ["deploy", "finetune"]
    assert "--active" in completions(shell, "%jobs --")


def test_other_lines_complete_as_ever(shell: InteractiveShell) -> None:
    shell.user_ns["something_long"] = 1
    assert "something_long" in completions(shell, "something_l")
    assert any("something_long" in c for c in completions(shell, "%%timeit\nsomething_l"))


def test_loading_twice_and_unloading_leave_nothing_twice_and_nothing_behind(shell: InteractiveShell) -> None:
    before = len(shell.Completer.custom_matchers)
    wb.load_ipython_extension(shell)
    assert len(shell.Completer.custom_matchers) == before
    shell.run_line_magic("unload_ext", "workbench")
    assert shell.find_cell_magic("chat") is None
    assert shell.find_line_magic("gpu") is None
    assert len(shell.Completer.custom_matchers) == before - 1


def test_what_is_said_in_text_of_a_machine_with_a_gpu() -> None:
    from workbench.magics.machine_text import machine_text
    from workbench.runtime.machine import Gpu, Holder, Machine

    gpu = Gpu(0, "Some GPU", 0.5, 2 << 30, 8 << 30)
    values: Any = {"time": 0.0, "cores": 2, "cpu_use": 0.25, "per_core": (), "load": None, "disk_free": 0}
    machine = Machine(**values, memory_used=1 << 30, memory_total=4 << 30, holders=(Holder("mine", "finetune", 1 << 30, 0.1),), gpus=(gpu,))
    assert machine_text(machine).splitlines() == [
        "CPU      25% of 2 cores",
        "Memory  1 GiB of 4 GiB",
        "GPU 0    50% · 2 GiB of 8 GiB · Some GPU",
        "      1 GiB    10%  mine (finetune)",
    ]
