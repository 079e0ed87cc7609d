"""From what a user writes, a URL, or a server's name or id, to the endpoint that is called. Sends nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...core.endpoints import Endpoint
from ...errors import ArgumentError, JobNotFound

if TYPE_CHECKING:
    from ...core.jobs import JobRecord
    from ...runtime.secrets.keys import Secret

_NAME = re.compile(r"[^\s/:]+")
_HERE = ("localhost", "0.0.0.0", "::1", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Address:
    """An endpoint, and whether it is known what is behind it: a server of ours."""

    endpoint: Endpoint
    known: bool


def find(written: str, key: Secret | None = None) -> Address:
    """The endpoint for a URL, or for a server's name or id.

    Parameters
    ----------
    written : str
    key : Secret, optional
        The server's key where it is none of this machine.

    Raises
    ------
    ArgumentError
        For what is neither.
    """
    return of_url(written, key) if "://" in written else Address(of_job(written), True)


def of_job(name: str) -> Endpoint:
    """Where the server of that name or id answers."""
    from ...runtime.deployments.endpoints import endpoint_of
    from ...runtime.deployments.service import FUNCTION

    if not _NAME.fullmatch(name):
        raise invalid(name, "A URL begins with http:// or https://.")
    try:
        record = _at_work(name)
    except JobNotFound as e:
        raise invalid(name, f"It is no URL, and no server is called so. {e.cause}".strip()) from None
    endpoint = endpoint_of(record)
    if endpoint.dialect != FUNCTION:
        cause = f"It speaks {endpoint.dialect}."
        raise ArgumentError(f"{record.name} serves a model, not a function.", cause, f"Write wb.TrainableModule().attach({record.name!r}).")
    return endpoint


def of_url(url: str, key: Secret | None) -> Address:
    """The endpoint at a URL: with its job and its key where it is a server of this machine."""
    from ...runtime.deployments.service import JSON
    from ...runtime.work import jobs

    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise invalid(url, "A URL is http:// or https://, a host, and where needed a port and a path.")
    if parts.username or parts.password:
        raise invalid(f"{parts.scheme}://…@{parts.hostname}", "A key does not belong into a URL.")
    for record in jobs.store().jobs(kind="deploy", active=True):
        if record.spec.backend == "function" and record.endpoint and _place(str(record.endpoint["url"])) == _place(url):
            return Address(_with_key(Endpoint.from_json(record.endpoint), key), True)
    return Address(_with_key(Endpoint(url, model=parts.netloc, dialect=JSON, source="url"), key), False)


def secret(key: str | None) -> Secret | None:
    """A key that was given as an argument.

    Raises
    ------
    ArgumentError
        For what is no key.
    """
    if key is None:
        return None
    from ...runtime.secrets.keys import Secret

    if not isinstance(key, str) or not key.strip() or not key.isascii() or not key.isprintable():
        raise ArgumentError(
            "security_key= is no key.", "It must be a text of printable ASCII characters.", "Give the key, or leave it out for a random one."
        )
    return Secret(key.strip())


def invalid(url: str, cause: str) -> ArgumentError:
    """The error for what is no address."""
    return ArgumentError(f"Invalid url: {url!r}", cause, "Give a URL such as http://127.0.0.1:8000/generate, or the name of a server in wb.jobs().")


def _with_key(endpoint: Endpoint, key: Secret | None) -> Endpoint:
    if key is None:
        return endpoint
    from ...runtime.secrets.keys import hold

    return replace(endpoint, key_file="", key_ref=hold(key))


def _place(url: str) -> tuple[str, int | None, str]:
    from ...runtime.deployments.service import base

    parts = urlsplit(base(url))
    host = parts.hostname or ""
    return ("127.0.0.1" if host in _HERE else host, parts.port, parts.path.rstrip("/"))


def _at_work(name: str) -> JobRecord:
    """The server of that name that is at work, else the job that the store knows by it."""
    from ...runtime.work import jobs

    jobs.sweep()
    for record in jobs.store().jobs(kind="deploy", active=True):
        if name in (record.name, record.id):
            return record
    return jobs.store().job(name)
