"""The command line: ``workbench …`` and ``python -m workbench``. Each command is a thin face of what a notebook can do."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line. Errors of the workbench go to stderr in three parts, without a traceback, with exit code 1."""
    from ..errors import WorkbenchError
    from .app import app
    from .console import failed

    try:
        app(prog_name="workbench")
    except WorkbenchError as e:
        failed(e)
        sys.exit(1)
    except BrokenPipeError:  # whoever read our output has gone, as with `workbench logs … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
