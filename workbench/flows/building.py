"""What the ``with`` form of flows reads from the code around it: the names that variables have there.

Knows Python's frames only.
"""

from __future__ import annotations

import dis
import sys
from types import FrameType
from typing import Any

WORKBENCH = __name__.partition(".")[0] + "."


def caller() -> FrameType | None:
    """The frame of the code that uses a flow, outside the workbench: its own variables are no names that people know."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(WORKBENCH):
        frame = frame.f_back
    return frame


def name_of(value: Any, frame: FrameType | None) -> str:
    """What a variable of that code which holds ``value`` is called, or ``""``."""
    if frame is None:
        return ""
    names = [n for n, v in list(frame.f_locals.items()) if v is value]
    if not names and frame.f_locals is not frame.f_globals:
        names = [n for n, v in list(frame.f_globals.items()) if v is value]
    return next((n for n in names if not n.startswith("_")), "")


def stored(frame: FrameType, begin: int, end: int) -> list[str]:
    """The variables that the code between two of its instructions gives a value, in the order in which they stand there.

    Read from the instructions, not from the variables: a cell that runs for the second time finds all of them set already.
    """
    names: dict[str, None] = {}
    for instruction in dis.get_instructions(frame.f_code):
        if begin < instruction.offset < end and instruction.opname.startswith("STORE_") and "STORE_ATTR" not in instruction.opname:
            values = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
            names.update(dict.fromkeys(v for v in values if isinstance(v, str)))
    return list(names)


def value_of(name: str, frame: FrameType) -> Any:
    """What the variable holds, None where there is none."""
    return frame.f_locals.get(name, frame.f_globals.get(name))
