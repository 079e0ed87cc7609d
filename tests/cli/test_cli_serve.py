"""``workbench serve``: a function of a file, served, asked and ended from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_helpers import workbench

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts.py").write_text("def shout(text): return text.upper()\n")
    (tmp_path / "shop.py").write_text(
        "import parts\n"
        "def answer(text, times=1): return parts.shout(text) * times\n"
        "def words(text):\n    yield from (w + ' ' for w in text.split())\n"
        "def size(value): return {'n': len(value)}\n"
        "def sign(out): return out + '!'\n"
    )
    return tmp_path


def test_a_function_from_start_to_stop(folder: Path) -> None:
    begun = workbench("serve", "shop.py:answer", "--post", "sign", cwd=folder)
    assert begun.returncode == 0, begun.stderr
    assert "answer answers." in begun.stdout
    assert "/docs" in begun.stdout
    (facts,) = json.loads(workbench("ps", "--json").stdout)
    assert (facts["name"], facts["kind"], facts["backend"], facts["state"]) == ("answer", "deploy", "function", "running")
    assert facts["endpoint"]["url"] in begun.stdout
    assert workbench("query", "answer", "hi", "-s", "times=2").stdout == "HIHI!\n"

    again = workbench("serve", "shop:answer", "--post", "sign", cwd=folder)
    assert facts["endpoint"]["url"] in again.stdout  # the same function is served once
    (folder / "parts.py").write_text("def shout(text): return text.lower()\n")
    changed = workbench("serve", "shop.py:answer", "--post", "sign", "--name", "quiet", cwd=folder)
    assert facts["endpoint"]["url"] not in changed.stdout
    assert workbench("query", "quiet", "Hi").stdout == "hi!\n"
    assert workbench("undeploy", "answer").returncode == 0


def test_json_goes_in_and_comes_out_and_pieces_come_as_lines_of_text(folder: Path) -> None:
    assert workbench("serve", "shop.py:size", cwd=folder).returncode == 0
    assert json.loads(workbench("query", "size", "--json", "[1, 2, 3]").stdout) == {"n": 3}
    assert workbench("serve", "shop.py:words", "--stream", cwd=folder).returncode == 0
    assert workbench("query", "words", "a b").stdout == "a b \n"
    wrong = workbench("query", "size", "--json", "{")
    assert wrong.returncode != 0
    assert "no JSON" in wrong.stderr
    for option, value in (("--system", "Be brief."), ("--file", "a.png"), ("--document", "a"), ("--out", "a.wav")):
        refused = workbench("query", "size", "[1]", option, value)
        assert f"{option} has no meaning here.\nCause: size is a function, not a model." in refused.stderr


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("shop.py:answr", "'answer' is the nearest name"),
        ("shop.py", "names no function"),
        ("nix.py:f", "There is no file"),
        ("no_such:f", "cannot be imported"),
    ],
)
def test_what_is_not_there_is_said(folder: Path, target: str, said: str) -> None:
    ended = workbench("serve", target, cwd=folder)
    assert ended.returncode != 0
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
