"""The traceback of an error of ours as a notebook shows it: the user's lines, not the workbench's own.

A user can do nothing about our frames, and has to scroll past them to read what to do. ``%xmode Verbose`` shows all; so do ``%debug``
and programs outside of a notebook, which see the error as it is.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path
from types import TracebackType

_OURS = str(Path(__file__).resolve().parent)
_INSTALLED = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def rendered(error: BaseException) -> list[str]:
    """The lines that IPython is to show (its protocol ``_render_traceback_``)."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    tb = error.__traceback__
    if shell is None:
        import traceback

        return "".join(traceback.format_exception(error)).splitlines()
    printer = shell.InteractiveTB
    if printer.mode not in ("Verbose", "Docs"):
        tb = without_ours(tb)
    lines: list[str] = printer.structured_traceback(type(error), error, tb, tb_offset=None)
    return lines


def without_ours(tb: TracebackType | None) -> TracebackType | None:
    """The frames that are not the workbench's, in a chain of their own; all of them where none is left.

    What the workbench calls of Python and of packages is its own affair; a function of the user's that it calls is not.
    """
    kept: list[TracebackType] = []
    inside = False
    at = tb
    while at is not None:
        file = at.tb_frame.f_code.co_filename
        ours = file.startswith(_OURS)
        inside = inside or ours
        if not ours and not (inside and file.startswith(_INSTALLED)):
            kept.append(at)
        at = at.tb_next
    out: TracebackType | None = None
    for frame in reversed(kept):
        out = TracebackType(out, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return out if kept else tb
