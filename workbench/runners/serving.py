"""What every serving runner shares: events, the key, the port, the end. Standard library only, run by any interpreter.

A runner is started as a file, so this module is found beside it; `workbench` itself is not importable there.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import full_disk
    from .metrics_watch import DIRECT, Watch
else:
    import full_disk
    from metrics_watch import DIRECT, Watch

__all__ = ["DIRECT", "begin", "end_with_parent", "fail", "in_background", "key", "port", "port_before", "ports", "report", "wait_for_end", "watch"]

_PARENT_SECONDS = 0.5
_PASSING = {"metric", "progress", "notice"}  # events that may be lost where the disk is full


def report(event: str, **data: Any) -> None:
    """Append one event to the job's file, in one write."""
    path = os.environ.get("WORKBENCH_EVENTS")
    line = json.dumps({"event": event, "time": time.time(), **data}, default=str)
    if not path:
        print(line, flush=True)
        return
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(fd, line.encode() + b"\n")
        finally:
            os.close(fd)
    except OSError:
        if event not in _PASSING:
            raise


def fail(message: str, kind: str = "ServingError") -> None:
    """Report why serving is impossible and end."""
    report("error", type=kind, message=message, traceback="")
    print(f"{kind}: {message}", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(1)


def key() -> str:
    """The key that callers must show; empty where the job has none."""
    path = os.environ.get("WORKBENCH_KEY_FILE")
    if not path or not os.path.exists(path):
        return ""
    with open(path) as f:
        return f.read().strip()


def port_before() -> int:
    """Where this server answered before it was started again; 0 when it was not."""
    return int(os.environ.get("WORKBENCH_PORT") or 0)


def ports(wanted: int) -> list[int]:
    """The ports to try, in this order: the one from before a restart, the wanted one, and 0 for any free one."""
    return list(dict.fromkeys((*(p for p in (port_before(), wanted) if p), 0)))


def port(wanted: int, host: str = "127.0.0.1") -> int:
    """A port to listen on, of `ports`, with a notice where one is taken."""
    for candidate in ports(wanted):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((host, candidate))
            except OSError as e:
                report("notice", level="warning", text=f"Port {candidate} cannot be used ({e.strerror}); another one is taken.")
                continue
            return int(s.getsockname()[1])
    fail(f"No port of {host} can be used.")
    return 0


def in_background(work: Callable[[], object]) -> None:
    """Run something beside the main thread, which waits for the end."""
    threading.Thread(target=work, daemon=True).start()


def begin() -> None:
    """What every server begins with: it ends soon after the process that started it, and outlives a full disk."""
    full_disk.drop_what_does_not_fit()
    end_with_parent()


def end_with_parent() -> None:
    """End this process soon after the one that started it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(2.0)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def wait_for_end() -> None:
    """Block until SIGTERM or SIGINT, then end at once: a server has nothing to save."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    report("exit", code=0)
    sys.stdout.flush()
    os._exit(0)


def watch(url: str, key: str, flavour: str, ttl: float = 0.0, **facts: Any) -> Watch:
    """Tell how busy a server is that answers now, and end this process when nobody has asked it for long.

    Reports ``metric`` events (``step`` in seconds since now; values as far as the server tells them: ``running`` and ``waiting``
    requests, ``cache_usage`` from 0 to 1, ``tokens_per_second``, ``prompt_tokens_per_second``, ``requests`` since the start).
    When it is idle for ``ttl`` seconds it says so (``notice``; ``result`` with ``{"ended": "idle", "reason": …}``) and sends this
    process SIGTERM.

    Parameters
    ----------
    url, key : str
        Where the server answers and what it wants to be shown.
    flavour : str
        Whose numbers: ``vllm``, ``llama_cpp``, ``sglang``, ``lmdeploy``, ``lightllm``, ``infinity``, ``workbench``, or empty for none.
    ttl : float
        Seconds; 0 is never. A line ``{"command": "ttl", "seconds": …}`` in the control file changes it.
    **facts
        ``cache_tokens``: how many tokens llama.cpp's cache holds; ``begun``: how many requests it has begun with, as a callable.
    """
    control = os.environ.get("WORKBENCH_CONTROL")
    return Watch(url, key, flavour, float(ttl or 0), report, Path(control) if control else None, facts).start()
