"""The trainer's end of the protocol in `workbench.core.jobs`: events go out, commands come in. Does not know who trains.

Standard library only: it is imported by the runners beside it, in a backend's interpreter, where `workbench` is not installed.
"""

from __future__ import annotations

import json
import math
import os
import time
from typing import Any


class Report:
    """Writes events and reads commands.

    Every event is one write to a file opened for appending, so that a reader never sees half of one between others.
    Other processes than the first of a distributed run are silent.

    Parameters
    ----------
    events, control : str
        The files; empty means there is none, as when a runner is tried by hand.
    """

    def __init__(self, events: str = "", control: str = "") -> None:
        self._fd = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if events else -1
        self._control, self._offset, self._seen = control, 0, (-1, -1)
        self.silent = os.environ.get("RANK", "0") not in ("", "0")

    @classmethod
    def of_this_process(cls) -> Report:
        """The report of the job that this process belongs to."""
        return cls(os.environ.get("WORKBENCH_EVENTS", ""), os.environ.get("WORKBENCH_CONTROL", ""))

    def event(self, event: str, **fields: Any) -> None:
        """Append one event. A disk that is full must not end a training that could still end well."""
        if self._fd < 0 or self.silent:
            return
        line = json.dumps({"event": event, "time": time.time(), **{k: plain(v) for k, v in fields.items()}}, separators=(",", ":"))
        try:
            os.write(self._fd, line.encode() + b"\n")
        except OSError:
            return

    def commands(self) -> list[str]:
        """What was said since the last call. Costs one `stat` when nothing was."""
        if not self._control:
            return []
        try:
            stat = os.stat(self._control)
            if (stat.st_size, stat.st_mtime_ns) == self._seen:
                return []
            with open(self._control, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._seen = (stat.st_size, stat.st_mtime_ns)
        found = []
        for line in whole.splitlines():
            try:
                found.append(str(json.loads(line)["command"]))
            except (ValueError, KeyError, TypeError):
                continue
        return found


def plain(value: Any) -> Any:
    """The value as JSON knows it: numbers of other libraries become Python's, those that are not finite become null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else None
