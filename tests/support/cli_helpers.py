"""Runs the real command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat


def workbench(*arguments: str, stdin: str = "", cwd: Path | None = None, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """``workbench …`` with the test's home; what it printed, and its exit code."""
    command = [sys.executable, "-m", "workbench", *arguments]
    env = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=cwd, env=env, timeout=seconds, check=False)


def notebook(path: Path, *cells: str | tuple[str, str]) -> Path:
    """Write a notebook: text is a code cell, ``("markdown", …)`` and ``("parameters", …)`` are what they say."""
    v4: Any = nbformat.v4
    made = []
    for cell in cells:
        kind, source = cell if isinstance(cell, tuple) else ("code", cell)
        if kind == "markdown":
            made.append(v4.new_markdown_cell(source))
        else:
            made.append(v4.new_code_cell(source, metadata={"tags": ["parameters"]} if kind == "parameters" else {}))
    write: Any = nbformat.write
    write(v4.new_notebook(cells=made), path)
    return path
