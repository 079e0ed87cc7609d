"""``python -m benchmarks [NAME …]``: run all benchmarks, or those named, and print one table.

``--markdown FILE`` also writes the table, with the machine it was measured on.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from .ratio import Ratio, number

NAMES = (
    "importing",
    "calling",
    "flows",
    "streaming",
    "online",
    "vectors",
    "embeddings",
    "formatting",
    "evaluation",
    "serving",
    "engines_text",
    "engines_start",
    "deployment_memory",
    "training",
    "drawing",
    "screen",
)
HEAD = ("What", "Ours", "Against", "Value", "Bound", "")


def row(r: Ratio) -> tuple[str, ...]:
    against = f"{r.against}: {number(r.theirs)} {r.unit}" if r.theirs is not None else ""
    return (r.question, f"{number(r.ours)} {r.unit}", against, r.shown, r.bound, ("kept" if r.kept else "MISSED") if r.bound else "")


def table(ratios: Iterable[Ratio]) -> str:
    """The comparisons as a Markdown table whose columns line up."""
    rows = [HEAD, *map(row, ratios)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)) + " |" for cells in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def machine() -> str:
    """What it was measured on."""
    import psutil

    memory = psutil.virtual_memory().total / 1e9
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB memory, Python {platform.python_version()}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    given = parser.parse_args()
    ratios: list[Ratio] = []
    with tempfile.TemporaryDirectory(prefix="workbench-benchmarks-") as home:
        os.environ["WORKBENCH_HOME"] = home
        os.environ.setdefault("WORKBENCH_ENV_DIR", str(Path(sys.prefix) / "benchmark-envs"))
        try:
            for name in given.names or NAMES:
                print(f"{name} …", file=sys.stderr, flush=True)
                ratios += import_module(f".{name}", __package__).measure()
        finally:
            from workbench.runtime.work import jobs

            jobs.end_all()
    text = f"{table(ratios)}\n\n{machine()}\n"
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    return 0 if all(r.kept for r in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
