"""Runs an engine that is a command line of its own: ``serve_command.py SPEC.json``. Standard library only.

It gives the command a port and the key, passes its output on, tells how far it is and when it answers, and ends it with all
it started. It knows no engine: what to run and where to ask is in the spec, an object with

    argv         the command; ``{python}`` is the interpreter that runs this, ``{port}`` the chosen port
    served_name  the name callers use
    title        the engine's name for people
    port         the wanted port, 0 is any
    env          variables for the command, `{port}` as above; None takes one away
    key_env      the variable in which the command looks for the key: arguments can be read by everybody
    health       the path that answers 200 once it serves; ``/health``
    guarded      a path that must be refused without the key and be there with it, ``/v1/models``; empty where there is none
    base         the path under which it speaks OpenAI's form; ``/v1``
    endpoint     other fields of the endpoint, such as ``options``
    progress     whose lines `engine_progress` reads, such as ``vllm``
    metrics      whose form of /metrics `serving.watch` reads
    ttl          seconds without a request after which it ends; 0 is never
    grace        seconds it may take to end
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from . import engine_progress, engine_words, serving
else:
    import engine_progress
    import engine_words
    import serving

GRACE_SECONDS = 6.0
TRIES = 4  # how often another port is taken when somebody was faster
_REMEMBERED = 400  # lines of the output in which a cause is looked for
_OPEN_LOOKS = 20
_ENDS = re.compile(rb"(\r\n|[\r\n])")
_LOOKS = re.compile(rb'"GET /(?:metrics|health)/? HTTP/[\d.]+" 200')


class Engine:
    """One start of the command."""

    def __init__(self, spec: dict[str, Any], port: int, key: str) -> None:
        self.spec, self.port, self.key = spec, port, key
        self.lines: deque[str] = deque(maxlen=_REMEMBERED)
        self.ready = False
        self._open = 0
        argv = [str(a).replace("{python}", sys.executable).replace("{port}", str(port)) for a in spec["argv"]]
        group: dict[str, Any] = {"process_group": 0} if sys.version_info >= (3, 11) else {"start_new_session": True}
        self.process = subprocess.Popen(
            argv, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **group
        )
        self._reader = threading.Thread(target=self._read, name="engine-output", daemon=True)
        self._reader.start()

    def _environment(self) -> dict[str, str]:
        env = dict(os.environ)
        for name, value in (self.spec.get("env") or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = str(value).replace("{port}", str(self.port))
        if self.spec.get("key_env"):
            env[self.spec["key_env"]] = self.key
        return env

    def _read(self) -> None:
        """Pass the output on, line by line; those that a progress bar writes over end with a carriage return.

        Of the answers that an engine notes, those to whoever looks after it are left out: in an hour they would push out all else.
        """
        assert self.process.stdout is not None
        hear, begun = engine_progress.reader(str(self.spec.get("progress") or "")), b""
        while data := self.process.stdout.read1(65536):  # type: ignore[attr-defined]  # a buffered pipe
            *whole, begun = _ENDS.split(begun + data)
            lines = [line for line in map(bytes.__add__, whole[::2], whole[1::2]) if not _LOOKS.search(line)]
            if len(begun) > 65536:
                lines, begun = [*lines, begun], b""
            _write(self._without_key(b"".join(lines)))
            for line in lines:
                text = self._without_key(line).decode(errors="replace").rstrip("\r\n")
                self.lines.append(text)
                if not self.ready:
                    hear(text)
        _write(self._without_key(begun))

    def _without_key(self, output: bytes) -> bytes:
        """An engine notes the addresses that it is asked for, and some callers write the key into them."""
        return output.replace(self.key.encode(), b"...") if self.key else output

    def serves(self) -> bool:
        """Whether the engine, and not a stranger on its port, answers and lets nobody in without the key.

        One that lets everybody in is ended: it would be open to every user of the machine.
        """
        if self._status(str(self.spec.get("health") or "/health")) != 200:
            return False
        path = self.spec.get("guarded", "/v1/models")
        if not path or not self.key:
            return True
        if self._status(path) != 200:
            return False
        if self._status(path, key="") in (401, 403):
            return True
        self._open += 1  # a stranger on the port does so, too, until the engine has found that it is taken
        if self._open == _OPEN_LOOKS:
            self.end()
            serving.fail(f"The server on port {self.port} answers without a key, so that everybody on this machine could use it.", "Unguarded")
        return False

    def _status(self, path: str, key: str | None = None) -> int:
        shown = self.key if key is None else key
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {shown}"} if shown else {})
        try:
            with serving.DIRECT.open(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as e:
            return e.code
        except (OSError, ValueError):
            return 0

    def end(self) -> int:
        """End the command and all it started, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(float(self.spec.get("grace") or GRACE_SECONDS))
        with contextlib.suppress(OSError):  # nobody of the group is left
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self._reader.join(2.0)
        return code


def _write(data: bytes) -> None:
    with contextlib.suppress(OSError):  # the log's disk is full: the engine goes on
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def main() -> None:
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    key = serving.key()
    if not key:
        serving.fail("There is no key to guard the server with.")
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    parent = os.getppid()
    title, wanted = str(spec.get("title") or "the engine"), int(spec.get("port") or 0)
    serving.report("progress", phase="start", text=f"Starting {title}")
    for attempt in range(1, TRIES + 1):
        port = serving.port(wanted)
        try:
            engine = Engine(spec, port, key)
        except OSError as e:
            serving.fail(f"{title} cannot be started: {e}", type(e).__name__)
        _follow(engine, asked, parent)
        code = engine.end()
        if asked.is_set():
            serving.report("exit", code=0)
            sys.exit(0)
        if engine.ready or attempt == TRIES or not engine_words.port_was_taken(engine.lines):
            break
        serving.report("notice", level="warning", text=f"Port {port} was taken in the moment of the start; another one is tried.")
        wanted = 0
    said = engine_words.reason(engine.lines) if code >= 0 else ""  # what was killed had no time to say why
    how = f"the signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    when = "while it served" if engine.ready else "before it served"
    message = f"{title} ended {when} ({how}){': ' + said if said else ''}"
    serving.report("error", type="EngineEnded", message=message, traceback="")
    print(said or message, file=sys.stderr, flush=True)  # the log's last line says why
    serving.report("exit", code=code)
    sys.exit(128 - code if code < 0 else code or 1)


def _follow(engine: Engine, asked: threading.Event, parent: int) -> None:
    """Wait for the engine's end, a stop, or the death of the process above, and tell once when it serves."""
    pause = 0.1
    while engine.process.poll() is None and not asked.wait(pause):
        if os.getppid() != parent:
            asked.set()
            return
        if not engine.ready and engine.serves():
            engine.ready = True
            _tell(engine)
            pause = 0.2


def _tell(engine: Engine) -> None:
    spec = engine.spec
    url = f"http://127.0.0.1:{engine.port}{spec.get('base', '/v1')}"
    serving.report("ready", url=url, model=spec["served_name"], **(spec.get("endpoint") or {}))
    serving.watch(url, engine.key, str(spec.get("metrics") or ""), float(spec.get("ttl") or 0))


if __name__ == "__main__":
    main()
