"""The seams: what a backend, a dialect and a launcher must be able to do. Pure descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

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
    asks_vendors : bool
        Whether the variables with vendors' keys go along: for code that calls vendors' models. Trainers and engines do not.
    own_temp : bool
        Whether a server's temporary files go when it ends. Not those of a user's function: they may be what it made.
    """

    name: str
    title: str
    environment: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    serves: bool = False
    stop_grace: float = 60.0
    asks_vendors: bool = False
    own_temp: bool = True


CREDENTIALS = "credentials.json"


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
    def credentials(self) -> Path:
        """A vendor's key on its way to the stage that asks there; nothing of it is left when the job has ended."""
        return self.folder / CREDENTIALS

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


REQUEST_IDS = (  # headers in which servers name a request, the most telling first
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-ms-request-id",
    "x-siliconcloud-trace-id",
    "trace-id",
    "x-trace-id",
    "cf-ray",
)


@dataclass(frozen=True, slots=True)
class FormPart:
    """One field of a multipart form; a file when it has a ``filename``."""

    name: str
    value: str | bytes = field(repr=False)
    filename: str = ""
    mime: str = ""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request relative to an endpoint's base address. Of ``json``, ``content`` and ``files`` it carries at most one.

    Attributes
    ----------
    method, path : str
        The path is joined to the base address; one that begins with a scheme is an address of its own.
    json : Mapping or sequence
        Sent as JSON.
    headers : Mapping
    content : bytes
        Sent as it is; its type belongs into ``headers``.
    files : tuple of FormPart
        Sent as a multipart form.
    query : Mapping
        Joined to the address.
    authorized : bool
        Whether the key goes with it; a file that a vendor keeps at another address is fetched without.
    key_parts : tuple of str
        Parts of the key that the format wants in its body, where their names stand in braces (first occurrence of ``"{name}"``).
    repeatable : bool
        Whether it may be sent again when the connection ended without an answer: not where it makes something.
    """

    method: str
    path: str
    json: Mapping[str, Any] | Sequence[Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    files: tuple[FormPart, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    authorized: bool = True
    key_parts: tuple[str, ...] = ()
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a codec's ``decode`` gives when the answer is not there yet: ask this, ``wait`` seconds from now.

    ``decode`` reads that answer, and may follow up in turn; None is the codec's own. ``state`` is the vendor's word for how
    far it is; ``cancel`` ends it at the vendor when nobody waits any more.
    """

    request: HttpRequest
    wait: float = 0.0
    decode: Callable[[int, Mapping[str, str], bytes], Any] | None = None
    state: str = ""
    cancel: HttpRequest | None = None


class Refused(Exception):
    """An answer that is a success by its status and a refusal by its body, which is the argument; the codec's ``error`` reads it."""


class Wire(Protocol):
    """What dialects and codecs have in common."""

    name: str

    def authorize(self, key: str) -> Mapping[str, str]:
        """The headers that carry the key, where the endpoint names no way of its own (registry group ``auth``)."""
        ...

    def error(self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str) -> Exception:
        """The `EndpointError` for a refused request."""
        ...


class Decoder(Protocol):
    """Turns one answer's lines into events; one object per answer, because fragments need memory.

    ``done`` turns true when the format itself says that nothing follows, which may be before the connection ends.
    """

    @property
    def done(self) -> bool: ...

    def feed(self, line: str) -> Iterable[StreamEvent]: ...

    def close(self) -> Iterable[StreamEvent]: ...


class FrameDecoder(Protocol):
    """A `Decoder` of a binary format: it is fed the bytes as they come."""

    @property
    def done(self) -> bool: ...

    def feed(self, data: bytes) -> Iterable[StreamEvent]: ...

    def close(self) -> Iterable[StreamEvent]: ...


class Dialect(Wire, Protocol):
    """A wire format for chats as a pure codec. Constructed with the endpoint's ``options``.

    ``reads`` says what its decoder is fed: ``lines`` of text (a `Decoder`) or ``bytes`` (a `FrameDecoder`).
    """

    reads: Literal["lines", "bytes"]

    def encode(self, request: ChatRequest, *, stream: bool = True) -> HttpRequest: ...

    def decoder(self) -> Decoder | FrameDecoder: ...


class Codec(Wire, Protocol):
    """One request, one answer, as a pure codec. Constructed with the endpoint's ``options``.

    A request that has a field ``model`` gets the endpoint's when it is empty.
    """

    def encode(self, request: Any) -> HttpRequest: ...

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        """The result, or a `FollowUp`. Raises `Refused`."""
        ...


class PieceDecoder(Protocol):
    """Turns an answer's bytes, as they come, into pieces of the result."""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Raises `Refused`."""
        ...

    def close(self) -> Iterable[bytes]: ...


class StreamedCodec(Codec, Protocol):
    """A codec whose result can be had in pieces while it arrives, such as speech."""

    def encode_streamed(self, request: Any) -> HttpRequest: ...

    def pieces(self, headers: Mapping[str, str]) -> PieceDecoder: ...


Auth = Callable[[Mapping[str, str], HttpRequest, str], tuple[str, Mapping[str, str]]]
"""A way to carry a key: ``(credentials, request, url) → (url, headers)``. The request's ``content`` is what is sent."""
