"""Becomes ``python -m MODULE …`` with our guard before whatever it serves: ``serve_guarded.py MODULE ARGUMENTS…``.

For servers that check no key, or get theirs only as an argument. The guard is put in by ``guarded/sitecustomize.py``, which every Python
process reads at its start: also those that the server starts for its HTTP side. Standard library only.
"""

from __future__ import annotations

import os
import sys

GUARDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guarded")


def main() -> None:
    path = os.pathsep.join(filter(None, (GUARDED, os.environ.get("PYTHONPATH", ""))))
    env = {**os.environ, "PYTHONPATH": path, "WORKBENCH_GUARD": "1"}
    os.execve(sys.executable, [sys.executable, "-m", *sys.argv[1:]], env)


if __name__ == "__main__":
    main()
