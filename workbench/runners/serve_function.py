"""Serves a function, flow or module over HTTP: ``serve_function.py SERVE.json``, run by the interpreter that pickled it.

Loads what is served from the job's folder, finds a port, and runs uvicorn with the application of `function_app`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import linecache
import os
import pickle
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import serving, serving_uvicorn
else:
    import serving
    import serving_uvicorn

PICKLE, SOURCES, KEY = "function.pickle", "sources.json", "security_key"  # files of the job's folder
_GRACE_SECONDS = 1


def find_modules(spec: dict[str, Any]) -> None:
    """Look for modules where the one who pickled did, and for the workbench in its own place at last.

    This folder is no such place: a module of the user's may be called like one of ours.
    """
    here = Path(__file__).resolve().parent
    found = [p for p in sys.path if os.path.abspath(p or ".") != str(here)]
    known = {os.path.abspath(p) for p in found}
    first = [p for p in str(spec.get("pythonpath") or "").split(os.pathsep) if p]
    more = [p for p in spec.get("paths") or () if os.path.abspath(p) not in known]
    sys.path[:] = [*first, *found, *more]
    if str(here.parents[1]) not in sys.path:
        sys.path.append(str(here.parents[1]))
    for name in ("serving", "full_disk", "serving_uvicorn", "metrics_watch", "metrics_readings", "metrics_text"):
        sys.modules.pop(name, None)


def load(folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
    """What is served, with its ``pre`` and ``post``; ends the process with words when that is impossible."""
    version = "{}.{}".format(*sys.version_info)
    if spec["python_version"] != version:
        serving.fail(
            f"The function was made by Python {spec['python_version']}; {sys.executable} is Python {version}. "
            "A function can only be served by the same version.",
            "VersionError",
        )
    with contextlib.suppress(OSError, ValueError):
        for name, text in json.loads((folder / SOURCES).read_text(encoding="utf-8")).items():
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        loaded: dict[str, Any] = pickle.loads((folder / PICKLE).read_bytes())
    except ImportError as e:
        serving.fail(f"{e}: the server does not find what the function needs, with {sys.executable}.", type(e).__name__)
    except Exception as e:
        serving.fail(f"{e} (while the function was loaded)", type(e).__name__)
    return loaded


def listen(host: str, port: int) -> socket.socket:
    """A socket at the port from before a restart, at the wanted one, or at any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in dict.fromkeys((serving.port_before() or port, port)):
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sends without delay only where TCP is named
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, candidate))
        except OSError as e:
            sock.close()
            if candidate == port:
                serving.fail(f"Port {port} of {host} cannot be used: {e.strerror}.", "PortError")
            serving.report("notice", level="warning", text=f"Port {candidate} cannot be used ({e.strerror}); another one is taken.")
            continue
        sock.listen(512)
        sock.set_inheritable(False)
        return sock
    raise AssertionError


def address(host: str, sock: socket.socket) -> str:
    """Where it is called from this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{sock.getsockname()[1]}"


def main() -> None:
    place = Path(sys.argv[1]).resolve()
    spec = json.loads(place.read_text(encoding="utf-8"))
    serving.begin()
    find_modules(spec)
    try:
        from workbench.runners import function_app
    except ImportError as e:
        serving.fail(f"{e}. Serving needs: {sys.executable} -m pip install uvicorn starlette cloudpickle", "ImportError")
    with contextlib.suppress(OSError):
        os.chdir(spec.get("folder") or ".")
    sock = listen(spec["host"], int(spec.get("port") or 0))
    loaded = load(place.parent, spec)
    keys = [k for k in (serving.key(), _given_key(place.parent)) if k]
    if not keys:
        serving.fail("The server's key cannot be read.", "KeyError")
    try:
        app = function_app.application(loaded, spec, keys)
    except Exception as e:
        serving.fail(str(e), type(e).__name__)
    url = address(spec["host"], sock)
    ready = {"url": f"{url}/generate", "model": spec["model"], "dialect": "function"}
    asyncio.run(serving_uvicorn.serve(app, sock, lambda: serving.report("ready", **ready), _GRACE_SECONDS))
    serving.report("exit", code=0)
    sys.stdout.flush()
    os._exit(0)  # a function that still runs in a thread must not keep the process


def _given_key(folder: Path) -> str:
    path = folder / KEY
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


if __name__ == "__main__":
    main()
