"""Runs every test: Python without a browser, the front end's own, and the browser's, each in a process of its own.

Usage: ``python tests/run.py [python|front|browser …] [-- arguments for pytest]``. The last line sums all parts up; the exit
status is 0 only when nothing failed. Browser tests stand alone because a synchronous playwright keeps an event loop
running that asynchronous tests trip over. Python tests run in several processes, a file in one of them, because most of their
time is spent waiting for engines and trainers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
SIDE_BY_SIDE = ("-n", str(min(4, max(2, os.cpu_count() or 2))), "--dist", "loadfile")
_COUNTED = re.compile(r"(\d+) (passed|failed|skipped|xfailed|xpassed|errors?)\b")
_NODE = re.compile(r"^(?:ℹ|#) (pass|fail|skipped) (\d+)", re.MULTILINE)
_NODE_WORDS = {"pass": "passed", "fail": "failed", "skipped": "skipped"}


def find_browser() -> str:
    """A Chromium; installed by apt where that is possible without a question."""
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
    if named:
        return named
    if Path(MAC_CHROME).exists():
        return MAC_CHROME
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing chromium with apt-get …", flush=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet = {"stdout": subprocess.DEVNULL, "env": env}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]  # the two keywords are right
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"], **quiet)  # type: ignore[call-overload]
    return shutil.which("chromium") or ""


def run(title: str, command: list[str], env: dict[str, str]) -> Counter[str]:
    """Run one part, show its output as it comes, and count what it says at its end."""
    print(f"\n==== {title}", flush=True)
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
    )
    assert process.stdout is not None
    tail: list[str] = []
    counted = ""  # the last sum; an interpreter may go on complaining after it
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        tail = [*tail[-40:], line]
        counted = line if _COUNTED.search(line) else counted
    status = process.wait()
    counts: Counter[str] = Counter()
    for number, word in _COUNTED.findall(counted):
        counts["errors" if word.startswith("error") else word] += int(number)
    for word, number in _NODE.findall("".join(tail)):
        counts[_NODE_WORDS[word]] += int(number)
    if status != 0 and not counts["failed"] and not counts["errors"]:
        counts["errors"] += 1  # the part itself did not run to its end
    return counts


def main(arguments: list[str]) -> int:
    """Run the parts named (all of them when none is) and say how they went."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    parts, extra = arguments[:cut] or ["python", "front", "browser"], arguments[cut + 1 :]
    began = time.monotonic()
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="workbench-tests-", ignore_cleanup_errors=True) as folder:
        env = {**os.environ, "WORKBENCH_HOME": str(Path(folder, "home")), "OMP_NUM_THREADS": "1"}
        env.setdefault("WORKBENCH_TEST_ENVS", str(ROOT / ".venv" / "test-envs"))
        pytest = [sys.executable, "-m", "pytest", "-q", *extra]
        if "python" in parts:
            total += run("Python", [*pytest, *SIDE_BY_SIDE, "tests", "--ignore=tests/ui"], env)
        if "front" in parts:
            total += run("Front end", ["npm", "test", "--silent"], env)
        if "browser" in parts:
            browser = find_browser()
            if browser:
                total += run("Browser", [*pytest, "tests/ui"], {**env, "CHROMIUM": browser})
            else:
                print("\nThe browser tests did not run: there is no Chromium or Chrome.")
                print("Install one, or name it: CHROMIUM=/path/to/chromium make test", flush=True)
                total["errors"] += 1
    said = ", ".join(f"{total[word]} {word}" for word in ("failed", "errors", "passed", "skipped", "xfailed", "xpassed") if total[word])
    print(f"\n==== {said or 'no tests ran'} in {time.monotonic() - began:.1f}s ====", flush=True)
    return 1 if total["failed"] or total["errors"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
