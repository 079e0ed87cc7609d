"""The client's first import leaves httpx whole, but for the time its command line takes."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import workbench.runtime.client
heavy = {"rich", "click", "pygments"} & set(sys.modules)
assert not heavy, heavy
import httpx
try:
    httpx.main(["--help"])
except SystemExit as e:
    assert not e.code, e.code
assert "httpx._main" in sys.modules
"""


def test_httpx_is_imported_without_its_command_line_which_still_works() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "httpx" in done.stdout.lower()
