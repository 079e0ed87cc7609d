"""The seams: what a backend, a dialect and a launcher must be able to do. Pure descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .endpoints import Endpoint
from .events import StreamEvent
from .jobs import Failure
from .messages import ChatRequest


@dataclass(frozen=True, slots=True)
class Stage:
    """One process of a job.

    Attributes
    ----------
    name, title : str
        ``train`` and what people read while it runs, such as ``Training``.
    environment : str
        Name of the environment whose interpreter runs it (see `workbench.envs`).
    argv : tuple of str
        What follows the interpreter.
    env : Mapping
        Variables added to a clean environment.
    files : Mapping
        Text files to write before the start, relative to the job's folder.
    serves : bool
        A server: the job is running when its runner reports ``ready``, and ends when asked.
    stop_grace : float
        Seconds a stop may take before the process tree is killed.
    """

    name: str
    title: str
    environment: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    serves: bool = False
    stop_grace: float = 60.0


@dataclass(frozen=True, slots=True)
class JobPlace:
    """Where a job lives: its folder, the stages' working directory in it, and the files the runner's protocol uses.

    The working directory is a folder of its own because Python looks there for packages: a data folder named ``ray``
    beside a trainer would make it believe that Ray is installed.
    """

    job_id: str
    folder: Path

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def control(self) -> Path:
        return self.folder / "control.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def key(self) -> Path:
        return self.folder / "key"


class Backend(Protocol):
    """A trainer or an engine: spec → commands. It runs nothing itself."""

    name: str
    environment: str

    def check(self, payload: Mapping[str, Any]) -> None:
        """Refuse what cannot work, before anything long starts. Raises a `WorkbenchError`."""
        ...

    def plan(self, payload: Mapping[str, Any], place: JobPlace) -> Sequence[Stage]:
        """The processes to run, one after the other."""
        ...

    def result(self, payload: Mapping[str, Any], place: JobPlace) -> Mapping[str, Any]:
        """What the finished job has made, read from its files, such as ``{"model": path}``."""
        ...

    def explain(self, stage: str, exit_code: int | None, log_tail: str) -> Failure:
        """Why a stage failed, and what to do."""
        ...


class Launched(Protocol):
    """A started command."""

    @property
    def pid(self) -> int | None:
        """Its process on this machine, or None where it runs elsewhere."""
        ...

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        ...

    def terminate(self) -> None:
        """Ask its main process to end."""
        ...

    def kill(self) -> None:
        """End its main process now."""
        ...


class Launcher(Protocol):
    """Where a command runs."""

    name: str

    def start(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Launched:
        """Start a command with exactly this environment, its output appended to ``log``. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request relative to an endpoint's base address."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Decoder(Protocol):
    """Turns one answer's lines into events; one object per answer, because fragments need memory.

    ``done`` turns true when the format itself says that nothing follows, which may be before the connection ends.
    """

    @property
    def done(self) -> bool: ...

    def feed(self, line: str) -> Iterable[StreamEvent]: ...

    def close(self) -> Iterable[StreamEvent]: ...


class Dialect(Protocol):
    """A wire format as a pure codec."""

    name: str

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest: ...

    def decoder(self) -> Decoder: ...

    def authorize(self, key: str) -> Mapping[str, str]:
        """The headers that carry the key."""
        ...

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        ...
