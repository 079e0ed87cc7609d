"""Where a model answers, and how long to wait for it. An endpoint names the key's place, never the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that speaks a dialect.

    Attributes
    ----------
    url : str
        Base address, such as ``http://127.0.0.1:40123/v1``.
    model : str
        The name the server knows the model by.
    dialect : str
        A name in the registry group ``dialect``.
    key_file : str
        A file only the user can read that holds the key, or empty.
    key_env : str
        A variable that holds the key, or empty.
    job_id : str
        The deployment behind it, or empty.
    source : str
        ``local`` or a vendor.
    headers : Mapping
        Sent with every request; never a key.
    key_ref : str
        Where `workbench.runtime.keys` finds the key otherwise: ``provider:<name>`` or ``held:<id>``; or empty.
    auth : str
        A name in the registry group ``auth``; the dialect's own way when empty.
    options : Mapping
        What the dialect has to know about this server's form; JSON values.
    """

    url: str
    model: str = ""
    dialect: str = "openai_chat"
    key_file: str = ""
    key_env: str = ""
    job_id: str = ""
    source: str = "local"
    headers: Mapping[str, str] = field(default_factory=dict)
    key_ref: str = ""
    auth: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(d: Mapping[str, Any]) -> Endpoint:
        return Endpoint(**d)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for an answer, in seconds; ``None`` waits for ever.

    Attributes
    ----------
    connect : float
        For the connection.
    first_byte : float or None
        From sending the request to the first byte of the answer: the engine reads the whole prompt in this time.
    gap : float or None
        Between two bytes of the answer.
    total : float or None
        For all of it.
    """

    connect: float = 5.0
    first_byte: float | None = 600.0
    gap: float | None = 120.0
    total: float | None = None
