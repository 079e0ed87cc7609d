"""Every page of the documentation runs, shows the values that it gives, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import docs_page
import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^(`{3,}).*?^\1\s*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pages_examples_run_and_give_what_it_shows(page: Path, home: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    command = [sys.executable, docs_page.__file__, str(page)]
    done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, encoding="utf-8", timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pages_links_lead_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8")))]
    missing = [link for link in links if link and "://" not in link and not link.startswith("mailto:") and not (page.parent / link).exists()]
    assert missing == []


def test_the_index_names_every_page() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.name != "index.md" and f"({page.name})" not in index] == []


# ---- the runner itself: a check that never complains would be worth nothing


def page_of(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


@pytest.mark.parametrize(
    "code",
    [
        "1 + 1  # → 2",
        "x = [1, 2]\nx\n# → [1, 2]",
        "x = 'é→'  # → 'é→'",
        "print('hi')  # → hi",
        "print('a\\nb')\n# → a\n#   b",
        "{'a': 1,\n 'b': 2}  # → {'a': 1, 'b': 2}",
        "object()  # → <object object at …>",
        "1 / 0  # → ZeroDivisionError: division by zero",
        "import asyncio\nawait asyncio.sleep(0, 3)  # → 3",
        "def f():\n    return 1  # → not a value of the page\nf()  # → 1",
    ],
)
def test_a_value_that_is_right_is_accepted(tmp_path: Path, code: str) -> None:
    assert list(docs_page.complaints(page_of(tmp_path, f"# T\n```python\n{code}\n```\n"))) == []


@pytest.mark.parametrize(
    ("code", "line", "part"),
    [
        ("1 + 1  # → 3", 3, "gives 2"),
        ("x = 1\nx\n# → 2", 4, "gives 1"),
        ("1 / 0", 3, "ZeroDivisionError"),
        ("1 / 0  # → ValueError: x", 3, "ZeroDivisionError"),
        ("1  # → ZeroDivisionError: division by zero", 3, "gives 1"),
        ("x = (", 3, "never closed"),
    ],
)
def test_a_value_that_is_wrong_is_told_with_the_pages_line(tmp_path: Path, code: str, line: int, part: str) -> None:
    (told,) = docs_page.complaints(page_of(tmp_path, f"# T\n```python\n{code}\n```\n"))
    assert told.startswith(f"page.md:{line}: ")
    assert part in told


def test_blocks_share_a_namespace_and_those_marked_so_are_only_shown(tmp_path: Path) -> None:
    text = "```python\nx = 1\n```\n```python no-run\nx = 2\n```\n```sh\nrm x\n```\n- item\n  ```python\n  x  # → 1\n  ```\n"
    assert list(docs_page.complaints(page_of(tmp_path, text))) == []
    assert [(b.line, b.runs) for b in docs_page.blocks(text)] == [(2, True), (5, False), (12, True)]
