"""What a notebook shows of an error of ours: the user's lines and the message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import ArgumentError, NotStarted
from workbench.short_traceback import without_ours

CELLS = [
    "import workbench as wb",
    "def mine():\n    return wb.TrainableModule('pocket')('hi')\nmine()",
    "wb.TrainableModule().deploy_method(wb.deploy.vllm, url='http://127.0.0.1:9/v1/').start()('hi')",
    "%xmode Verbose\nwb.TrainableModule('pocket')('hi')",
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a real IPython prints for each cell."""
    lines = ["from IPython.core.interactiveshell import InteractiveShell as S", "s = S.instance()", "s.run_line_magic('colors', 'nocolor')"]
    lines += [f"s.run_cell({cell!r}); print('=====')" for cell in CELLS]
    home = tmp_path_factory.mktemp("ipython")
    file = home / "run.py"
    file.write_text("\n".join(lines))
    env = {"PATH": "", "HOME": str(home), "IPYTHONDIR": str(home), "WORKBENCH_HOME": str(home / "home")}
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=120, env=env, cwd=home, check=True)
    return done.stdout.split("=====")


def test_a_notebook_shows_the_users_lines_and_the_message(shown: list[str]) -> None:
    assert "----> 3 mine()" in shown[1]
    assert "----> 2     return wb.TrainableModule('pocket')('hi')" in shown[1]
    assert "NotStarted: pocket is not deployed.\nCause: " in shown[1]
    assert str(Path("workbench") / "modules") not in shown[1]


def test_threads_and_futures_of_ours_are_left_out(shown: list[str]) -> None:
    assert "EndpointDown: Nobody answers at" in shown[2]
    assert "concurrent" not in shown[2]


def test_the_verbose_mode_shows_all(shown: list[str]) -> None:
    assert str(Path("workbench") / "modules") in shown[3]


def test_a_function_of_the_users_that_we_called_stays() -> None:
    import workbench

    def bad(text: str) -> str:
        raise ArgumentError("No.")

    with pytest.raises(ArgumentError) as caught:
        workbench.pipeline(bad)("x")
    names, at = [], without_ours(caught.value.__traceback__)
    while at is not None:
        names.append(at.tb_frame.f_code.co_name)
        at = at.tb_next
    assert names == ["test_a_function_of_the_users_that_we_called_stays", "bad"]


def test_an_error_that_only_we_have_seen_keeps_its_frames() -> None:
    error = NotStarted("x")
    assert without_ours(error.__traceback__) is None
    assert "NotStarted: x" in "\n".join(error._render_traceback_())
