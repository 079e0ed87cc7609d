"""Notebooks as evaluations: real kernels, no front end, an exit code for CI."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import psutil
import pytest
from cli_helpers import notebook, workbench

from workbench.cli import main
from workbench.cli.console import key_values
from workbench.cli.notebook import MIME
from workbench.cli.progress import as_drawn
from workbench.errors import ArgumentError

ROWS = "[(f'q{i}', f'Q{i}') for i in range(30)]"
COMPARE = f"import workbench as wb\nresult = wb.compare(str.lower, str.upper, evalset={ROWS}, names=['base', 'tuned'], name='dates')\nresult"


def executed(output: str) -> nbformat.NotebookNode:
    path = next(line.removeprefix("Executed copy: ") for line in output.splitlines() if line.startswith("Executed copy: "))
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def test_a_notebook_ends_with_its_table_and_its_report(home: Path, tmp_path: Path) -> None:
    book = notebook(
        tmp_path / "dates.ipynb",
        ("markdown", "# Dates\nAbout dates."),
        ("parameters", "scale = 1\nword: str = 'plain'"),
        ("markdown", "## Work"),
        "# a comment\nimport sys, os\nfor i in range(4):\n    sys.stdout.write(f'\\rstep {i}')\nprint()\nprint('scale', scale, word, os.getcwd())",
        COMPARE,
        "result.save_html('report.html')",
    )
    done = workbench("eval", str(book), "-p", "scale=2.5", "-p", "word=it's", cwd=home.parent)
    assert done.returncode == 0, done.stderr
    out = done.stdout
    for words in (
        "Dates\n",
        "Work\n",
        "[3/5] import sys, os …",
        "step 3\n",
        f"scale 2.5 it's {tmp_path}",
        "dates · 30 rows",
        "Exact match",
        "better",
    ):
        assert words in out
    assert "step 0" not in out  # a line that rewrites itself is not a log
    report = tmp_path / "report.html"
    assert f"Report: {report}" in out
    assert "Exact match" in report.read_text()
    copy = executed(out)
    assert copy.cells[2].metadata.tags == ["injected-parameters"]
    assert copy.cells[4].outputs[0].text.startswith("step 3\nscale 2.5")
    assert any(MIME in o.get("data", {}) for o in copy.cells[5].outputs)


def test_a_result_that_was_only_shown_gets_a_report_too(home: Path, tmp_path: Path) -> None:
    book = notebook(tmp_path / "dates.ipynb", COMPARE)
    wanted = tmp_path / "deep" / "report.html"
    done = workbench("eval", str(book), "--report", str(wanted), "--output", str(tmp_path / "copy" / "done.ipynb"))
    assert done.returncode == 0, done.stderr
    assert f"Report: {wanted}" in done.stdout
    assert "tuned" in wanted.read_text()
    assert (tmp_path / "copy" / "done.ipynb").is_file()
    assert not (tmp_path / "report.html").exists()


def test_a_cell_that_fails_gives_exit_code_1_in_three_parts(home: Path, tmp_path: Path) -> None:
    book = notebook(
        tmp_path / "bad.ipynb",
        "print('before')",
        "from workbench.errors import DataError\nraise DataError('Line 3 is broken.', 'It has no comma.', 'Mend it.')",
        "print('never')",
    )
    done = workbench("eval", str(book))
    assert done.returncode == 1
    assert "before" in done.stdout
    assert "never" not in done.stdout
    assert done.stderr == "Error: Cell 2 of bad.ipynb failed.\nCause: DataError: Line 3 is broken. It has no comma.\nFix: Mend it.\n"
    assert any(o.output_type == "error" for c in executed(done.stdout).cells for o in c.get("outputs", []))


def test_a_kernel_that_dies_is_said_so_with_its_last_lines(home: Path, tmp_path: Path) -> None:
    book = notebook(tmp_path / "dies.ipynb", "import os, sys\nos.write(2, b'last words\\n')\nos._exit(3)")
    done = workbench("eval", str(book))
    assert done.returncode == 1
    assert "The kernel died" in done.stderr


def test_a_cell_may_be_given_a_time_limit(home: Path, tmp_path: Path) -> None:
    book = notebook(tmp_path / "slow.ipynb", "import time\ntime.sleep(60)")
    done = workbench("eval", str(book), "--timeout", "1")
    assert done.returncode == 1
    assert "took more than 1 s" in done.stderr


@pytest.mark.parametrize(
    ("cells", "arguments", "words"),
    [
        ([("parameters", "rows = 1")], ["-p", "row=2"], "'rows' is the nearest name"),
        (["rows = 1"], ["-p", "rows=2"], "takes no parameters"),
        (["1"], ["--kernel", "no-such-kernel"], "There is no kernel 'no-such-kernel'"),
        (["1"], ["--data", "x.jsonl"], "A notebook is evaluated alone"),
        ([], [], "is not a notebook"),
    ],
)
def test_what_cannot_run_is_refused(
    home: Path,
    tmp_path: Path,
    cells: list[str],
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "n.ipynb"
    if cells:
        notebook(path, *cells)
    else:
        path.write_text("{}")
    monkeypatch.setattr("sys.argv", ["workbench", "eval", str(path), *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert words in capsys.readouterr().err


def test_an_interrupt_ends_the_kernel_and_keeps_the_copy(home: Path, tmp_path: Path) -> None:
    book = notebook(
        tmp_path / "long.ipynb",
        "import os, time\nprint('pid', os.getpid())\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('it goes on')\n    raise",
        "print('never')",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "eval", str(book)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    guard = threading.Timer(60, process.kill)
    guard.start()
    head = ""
    while "pid " not in head:
        line = process.stdout.readline()
        assert line, head
        head = line
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    guard.cancel()
    assert process.returncode == 130, error
    assert "Interrupted" in error
    assert "it goes on" in out
    assert "never" not in out
    assert "Executed copy: " in out
    assert not psutil.pid_exists(int(head.split()[-1]))


def test_models_are_evaluated_over_a_file(home: Path, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps({"input": f"Compute {i} + 1", "expected": str(i + 1)}) + "\n" for i in range(6)))
    done = workbench("eval", "pocket", "--data", str(data), "-s", "exact", "-s", "f1", "--report", str(tmp_path / "r.html"))
    assert done.returncode == 0, done.stderr
    assert "Exact match" in done.stdout
    assert "6 rows" in done.stdout
    assert (tmp_path / "r.html").is_file()


def test_key_values_are_json_where_they_can_be() -> None:
    found = key_values(["a=1", "b=1e-4", "c=true", "d=text", 'e=[1, "x"]', "f=", "g=a=b"])
    assert found == {"a": 1, "b": 1e-4, "c": True, "d": "text", "e": [1, "x"], "f": "", "g": "a=b"}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(ArgumentError):
            key_values(wrong)


def test_lines_are_kept_as_a_terminal_draws_them() -> None:
    assert as_drawn("step 1\rstep 2") == "step 2"
    assert as_drawn("longer text\rshort") == "shortr text"
    assert as_drawn("gone\r    \r") == ""
