"""A fine-tuning that a vendor runs: its states in one vocabulary, what its events tell, and what a vendor's form must be able to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from .endpoints import Endpoint
from .protocols import HttpRequest

RemoteState = Literal["pending", "running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """One fine-tuning at a vendor.

    Attributes
    ----------
    form : str
        A name in the registry group ``training_form``.
    endpoint : Endpoint
        Where the vendor takes fine-tunings; it names the key's place, never the key.
    model : str
        The vendor's base model.
    train, valid : str
        Absolute paths of JSONL files of OpenAI messages that were checked; ``valid`` may be empty.
    arguments : Mapping
        The form's own arguments.
    deploy : Mapping
        Arguments of the deployment where the vendor wants one before a call.
    options : Mapping
        The provider's ``fine_tuning`` data.
    resume_from : str
        The folder of a job that had begun this one, or empty.
    """

    form: str
    endpoint: Endpoint
    model: str
    train: str
    valid: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    deploy: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    resume_from: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(d: Mapping[str, Any]) -> RemoteSpec:
        return RemoteSpec(**{**d, "endpoint": Endpoint.from_json(d["endpoint"])})


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """How a vendor's fine-tuning stands. ``status`` is the vendor's own word, ``finish_at`` seconds since the epoch."""

    id: str
    state: RemoteState
    status: str = ""
    base_model: str = ""
    model: str = ""
    message: str = ""
    trained_tokens: int | None = None
    finish_at: float | None = None


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """One thing the vendor told. ``values`` are measured, under the names of `workbench.core.jobs`."""

    id: str
    text: str = ""
    level: str = "info"
    time: float | None = None
    step: int | None = None
    max_steps: int | None = None
    epoch: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoteDeployment:
    """How a vendor's deployment stands; ``model`` is the name to call it by."""

    id: str
    ready: bool
    failed: bool = False
    status: str = ""
    model: str = ""


class TrainingForm(Protocol):
    """A vendor's form of fine-tuning as a pure codec: requests out, replies in. A request that does not exist there is None."""

    name: str

    def arguments(self) -> Sequence[str]: ...

    def line(self, row: Mapping[str, Any]) -> Any:
        """What stands in a line of the uploaded file, for a row of OpenAI messages."""
        ...

    def upload(self, name: str, content: bytes) -> HttpRequest: ...

    def uploaded(self, reply: Mapping[str, Any]) -> str: ...

    def prepare(self, file_id: str) -> HttpRequest | None: ...

    def prepared(self, reply: Mapping[str, Any]) -> tuple[str, bool]:
        """The data set's id, and whether it can be used."""
        ...

    def look_prepared(self, data_id: str) -> HttpRequest: ...

    def create(self, spec: RemoteSpec, train: str, valid: str) -> HttpRequest: ...

    def look(self, job_id: str) -> HttpRequest: ...

    def job(self, reply: Mapping[str, Any]) -> RemoteJob: ...

    def events(self, job_id: str) -> HttpRequest | None: ...

    def older_events(self, job_id: str, reply: Mapping[str, Any]) -> HttpRequest | None:
        """The page before the one that a reply holds."""
        ...

    def read_events(self, reply: Mapping[str, Any]) -> list[RemoteEvent]:
        """What the vendor told so far, oldest first."""
        ...

    def cancel(self, job_id: str) -> HttpRequest: ...

    def listing(self) -> HttpRequest: ...

    def listed(self, reply: Mapping[str, Any]) -> list[RemoteJob]: ...

    def deploy(self, model: str, arguments: Mapping[str, Any]) -> HttpRequest | None: ...

    def look_deployed(self, deployment_id: str) -> HttpRequest: ...

    def deployed(self, reply: Mapping[str, Any]) -> RemoteDeployment: ...
