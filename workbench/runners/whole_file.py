"""A file that is whole whenever it has its name: written beside it, and given its name at the end. For runners that convert.

Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import serving
else:
    import serving

PART = ".part"


class Refused(Exception):
    """What was asked for cannot be written: its text is for the user."""


def begin() -> Any:
    """What every converter begins with: it ends soon after the process that started it, a stop leaves no half file, and this folder's modules
    are not for the libraries that it uses. What it is to do, out of the file that its command line names."""
    with open(sys.argv[1], encoding="utf-8") as f:
        spec = json.load(f)
    sys.path.pop(0)
    serving.end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return spec


@contextlib.contextmanager
def whole(target: Path, kind: str = "ConversionError", what: str = "") -> Iterator[Path]:
    """Where to write; the file gets its name after the block. Where the block fails nothing is left, and this process ends with the reason.

    Parameters
    ----------
    target : Path
        The file's own name.
    kind : str, optional
        The kind of error that a refusal is told as.
    what : str, optional
        What a refusal is put behind.
    """
    part = target.with_name(f"{target.stem}.{os.getpid()}{PART}")
    try:
        yield part
        part.rename(target)
        return
    except Refused as e:
        failure = (f"{what}{e}", kind)
    except BaseException as e:
        traceback.print_exc()
        failure = (str(e) or type(e).__name__, type(e).__name__)
    part.unlink(missing_ok=True)
    serving.fail(*failure)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed had half written."""
    for old in folder.glob(f"*{PART}"):
        try:
            os.kill(int(old.suffixes[-2][1:]), 0)
        except (OSError, ValueError, IndexError):
            old.unlink(missing_ok=True)
