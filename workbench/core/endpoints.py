"""Where a model answers, and how long to wait for it. An endpoint names the key's place, never the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))  # hosts of addresses that are this machine's


@dataclass(frozen=True, slots=True)
class Network:
    """How requests travel, and how many.

    Attributes
    ----------
    max_retries : int
        How often a request is sent again, and only while nothing of an answer has come: no connection, too many requests,
        an overloaded server.
    requests_per_minute, concurrency : int or None
        Limits over all requests of this process to the same source; more requests wait for their turn.
    proxy : str
        A proxy's address; the environment's proxies when empty, ``none`` for no proxy at all.
    verify : bool or str
        Whether certificates are checked, or a file or folder of certificates to trust.
    """

    max_retries: int = 2
    requests_per_minute: int | None = None
    concurrency: int | None = None
    proxy: str = field(default="", repr=False)  # it may hold a password
    verify: bool | str = True


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
        Where `workbench.runtime.secrets.keys` finds the key otherwise: ``provider:<name>`` or ``held:<id>``; or empty.
    auth : str
        A name in the registry group ``auth``; the dialect's own way when empty.
    options : Mapping
        What the dialect has to know about this server's form; JSON values.
    network : Network
        Retries, limits, proxy, certificates.
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
    network: Network = Network()

    def to_json(self) -> dict[str, Any]:
        d = asdict(self)
        if self.network == Network():
            del d["network"]
        elif "@" in self.network.proxy:  # a password does not travel
            d["network"]["proxy"] = ""
        return d

    @staticmethod
    def from_json(d: Mapping[str, Any]) -> Endpoint:
        network = d.get("network") or {}
        return Endpoint(**{**d, "network": network if isinstance(network, Network) else Network(**network)})


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
    restart : float
        For a deployment's engine that is being started again when the request finds nobody; 0 does not wait.
    """

    connect: float = 5.0
    first_byte: float | None = 600.0
    gap: float | None = 120.0
    total: float | None = None
    restart: float = 300.0
