"""A folder for the temporary files of one engine, which goes when the engine has ended, however it did.

Engines leave files in the system's temporary folder when they are killed: vLLM the sockets of its processes, others what they unpack. The
folder lies there as well and not in the job's, because the path of a socket may be 107 bytes long; a link in the job's folder says
where, so that whoever clears up after a lost job finds it. Starts and ends no process.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from ...core.protocols import JobPlace

_SOCKET_BYTES = 107  # of a path on Linux; https://man7.org/linux/man-pages/man7/unix.7.html
_NAME_BYTES = 45  # an engine's own name in it: vLLM's are UUIDs of 36
_SHORT = Path("/tmp")


def make(place: JobPlace) -> Path | None:
    """A new folder of this user's for a job, after what an earlier start left is gone; None where none can be made."""
    clear(place)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_prefix(place), dir=_base()))
        link(place).symlink_to(folder)
    except OSError:  # the disk is full: an engine may do without
        return None
    return folder


def clear(place: JobPlace) -> None:
    """Take a job's folder away with all that is in it; nothing happens where there is none."""
    found = set(_base().glob(f"{_prefix(place)}*"))  # the job's own folder may have been deleted
    with contextlib.suppress(OSError):
        found.add(Path(os.readlink(link(place))))
    for folder in found:
        with contextlib.suppress(OSError):
            if folder.name.startswith(_prefix(place)) and _ours(folder):
                shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        link(place).unlink()


def link(place: JobPlace) -> Path:
    """What leads to it."""
    return place.folder / "tmp"


def variables(folder: Path) -> dict[str, str]:
    """What tells a process to use it. What torch has compiled stays where later starts find it."""
    kept = os.environ.get("TORCHINDUCTOR_CACHE_DIR") or str(Path(tempfile.gettempdir()) / f"torchinductor_{_user()}")
    return {"TMPDIR": str(folder), "TORCHINDUCTOR_CACHE_DIR": kept}


def _base() -> Path:
    """The system's temporary folder, or a shorter one where sockets could not be made below it."""
    usual = Path(tempfile.gettempdir())
    room = _SOCKET_BYTES - len(b"/wb-12345678-12345678/") - _NAME_BYTES
    return usual if len(os.fsencode(usual)) <= room or not os.access(_SHORT, os.W_OK | os.X_OK) else _SHORT


def _prefix(place: JobPlace) -> str:
    return f"wb-{place.job_id}-"


def _ours(folder: Path) -> bool:
    """Whether it is a folder, and this user's: anybody may make something of the same name in its place."""
    found = os.lstat(folder)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _user() -> str:
    """As torch writes it into the name of its folder."""
    try:
        return re.sub(r'[\\/:*?"<>|]', "_", getpass.getuser())
    except (KeyError, OSError):
        return str(os.getuid())
