"""Watches a server that this runner started: tells how busy it is, and ends it when nobody has asked for long.

Standard library only. It asks the server's own ``/metrics`` (`metrics_readings`), at most every two seconds and less often
while nothing happens, and reports only what has changed. A server that does not answer is left alone: whether it is ill is
the supervisor's to say, and whether it is idle nobody knows.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from .metrics_readings import KNOWN, Reading, read
else:
    from metrics_readings import KNOWN, Reading, read

BUSY, QUIET = 2.0, 5.0  # seconds between two looks
_QUIET_AFTER = 30.0
_CALM = 4.0  # with an idle time-out, the looks are this part of it apart, so that it is kept to
_TIMEOUT = 10.0
_MOVED = 0.005  # a smaller change of the cache's use is no news
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy of the user's does not reach this machine's ports


class Watch:
    """Looks at one server until the process ends.

    Parameters
    ----------
    url : str
        The server's address; a path such as ``/v1`` is cut off.
    key : str
        What it wants to be shown.
    flavour : str
        One of `metrics_readings.KNOWN`, or empty for a server that tells nothing: it is never ended for being idle.
    ttl : float
        Seconds without a request after which the process is ended; 0 is never.
    report : callable
        ``report(event, **data)``.
    control : Path or None
        The file in which a line ``{"command": "ttl", "seconds": …}`` changes ``ttl``.
    facts : Mapping
        What `metrics_readings.read` wants to know.
    """

    def __init__(
        self,
        url: str,
        key: str,
        flavour: str,
        ttl: float,
        report: Callable[..., None],
        control: Path | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        if flavour and flavour not in KNOWN:
            raise ValueError(f"no server of the kind {flavour!r} is known; known are {', '.join(KNOWN)}")
        scheme, _, rest = url.partition("://")
        self._root = f"{scheme}://{rest.split('/')[0]}"
        self._key, self._flavour, self.ttl, self._report = key, flavour, max(0.0, ttl), report
        self._control, self._facts, self._read_to = control, facts or {}, 0
        self._begun = self._last_use = time.monotonic()
        self._before: tuple[float, Reading] | None = None
        self._earlier: float | None = None  # requests that were counted before the first look
        self._told: dict[str, float] = {}
        self._stop = threading.Event()

    def start(self) -> Watch:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._run, name="metrics-watch", daemon=True).start()
        return self

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def _run(self) -> None:
        if self._flavour:
            self._look()  # what was counted before is nobody's rate
        while not self._stop.wait(self._pause()):
            self._listen()
            if self._flavour and self._look() and self._idle():
                self._end()

    def _pause(self) -> float:
        quiet = time.monotonic() - self._last_use > _QUIET_AFTER
        pause = QUIET if quiet else BUSY
        return max(0.1, min(pause, self.ttl / _CALM)) if self.ttl else pause

    def _look(self) -> bool:
        """Read the numbers and report what is new; False when the server does not answer."""
        try:
            reading = read(self._flavour, self._get, self._facts)
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError):
            return False
        now = time.monotonic()
        reading = self._since_ready(reading)
        before, self._before = self._before, (now, reading)
        if reading.running or reading.waiting or (before is not None and _counts(before[1]) != _counts(reading)):
            self._last_use = now
        self._tell(values(reading, before, now))
        return True

    def _since_ready(self, reading: Reading) -> Reading:
        """Without the requests that were made before, such as one to warm up. Some servers count only from the first one on."""
        if reading.requests is None:
            self._earlier = self._earlier or 0.0
            return reading
        if self._earlier is None or reading.requests < self._earlier:
            self._earlier = max(0.0, reading.requests - reading.running - reading.waiting) if self._earlier is None else 0.0
        return replace(reading, requests=reading.requests - self._earlier)

    def _tell(self, new: dict[str, float]) -> None:
        if all(abs(v - self._told.get(k, -1.0)) < (_MOVED if k == "cache_usage" else 1e-9) for k, v in new.items()):
            return
        self._told = new
        self._report("metric", step=int(time.monotonic() - self._begun), values=new)

    def _get(self, path: str) -> str:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with DIRECT.open(urllib.request.Request(self._root + path, headers=headers), timeout=_TIMEOUT) as answer:
            body: bytes = answer.read()
        return body.decode("utf-8", "replace")

    def _listen(self) -> None:
        """Take up what was written into the control file since the last look."""
        if self._control is None:
            return
        try:
            with self._control.open("rb") as f:
                f.seek(0 if self._control.stat().st_size < self._read_to else self._read_to)
                data = f.read()
                end = data.rfind(b"\n") + 1
                self._read_to = f.tell() - len(data) + end
        except OSError:
            return
        for line in data[:end].splitlines():
            try:
                said = json.loads(line)
                if said.get("command") == "ttl":
                    self.ttl = max(0.0, float(said["seconds"]))
                    self._last_use = time.monotonic()  # it is said when somebody comes who wants to use the server
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def _idle(self) -> bool:
        return bool(self.ttl) and time.monotonic() - self._last_use >= self.ttl

    def _end(self) -> None:
        self._listen()
        if not self._look() or not self._idle():  # somebody asked in this moment
            return
        text = f"Nobody has asked for {_words(self.ttl)}."
        self._report("notice", level="info", text=f"{text} The deployment ends.")
        self._report("result", values={"ended": "idle", "reason": text})
        self._stop.set()
        os.kill(os.getpid(), signal.SIGTERM)


def values(reading: Reading, before: tuple[float, Reading] | None, now: float) -> dict[str, float]:
    """What is reported of a look, given the one before."""
    out = {"running": reading.running, "waiting": reading.waiting}
    if reading.cache is not None:
        out["cache_usage"] = round(min(1.0, max(0.0, reading.cache)), 4)
    if reading.requests is not None:
        out["requests"] = reading.requests
    rates = (("tokens_per_second", "generated"), ("prompt_tokens_per_second", "prompt"))
    for name, counter in rates:
        count = getattr(reading, counter)
        if count is not None:
            old = getattr(before[1], counter) or 0.0 if before else None
            seconds = now - before[0] if before else 0.0
            grown = max(0.0, count - old) if old is not None else 0.0  # a counter that fell was started anew
            out[name] = round(grown / seconds, 1) if seconds > 0 else 0.0
    return out


def _counts(r: Reading) -> tuple[float | None, ...]:
    return r.requests, r.generated, r.prompt


def _words(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} second{'' if seconds == 1 else 's'}"
    return f"{seconds / 60:g} minutes" if seconds < 7200 else f"{seconds / 3600:.3g} hours"
