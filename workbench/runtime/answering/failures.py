"""How a failed request is told: which error, with which words, and what the engine behind it said last.

Refusals that a server words itself are read by its dialect; these are the failures around them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ...core.endpoints import LOOPBACK, Endpoint
from ...errors import AuthenticationFailed, BadRequest, EndpointDown, EndpointError, EndpointTimeout, StreamBroken
from ..deployments.endpoints import last_words
from ..network.http import proxy_for
from .channel import Channel

_NO_NAME = (
    "Name or service not known",
    "nodename nor servname",
    "No address associated",
    "Temporary failure in name resolution",
    "getaddrinfo failed",
)


def unreachable(channel: Channel, endpoint: Endpoint, cause: str) -> EndpointError:
    """No connection."""
    if "CERTIFICATE_VERIFY_FAILED" in cause:
        what, fix = f"The certificate of {endpoint.url} is not trusted.", "Name the certificates to trust: verify='…/ca.pem', or SSL_CERT_FILE."
        return _error(EndpointDown, endpoint, channel, what, cause, fix)
    host = _host(endpoint)
    proxy = proxy_for(endpoint.url, endpoint.network)
    if proxy:
        what, fix = f"{endpoint.url} cannot be reached through the proxy {proxy}.", "Check that the proxy runs; proxy='none' goes without one."
        return _error(EndpointDown, endpoint, channel, what, cause, fix)
    if any(words in cause for words in _NO_NAME):
        what, fix = f"There is no address for the name {host!r} of {endpoint.url}.", "Check how the URL is written, and whether the network is up."
        return _error(EndpointDown, endpoint, channel, what, cause, fix)
    return _error(EndpointDown, endpoint, channel, f"Nobody answers at {endpoint.url}.", cause, _restart(endpoint))


def silent(channel: Channel, endpoint: Endpoint, cause: str) -> EndpointError:
    """A connection that closed before anything was answered."""
    return _error(EndpointDown, endpoint, channel, f"{endpoint.url} closed the connection without an answer.", cause, _restart(endpoint))


def broken(channel: Channel, endpoint: Endpoint, cause: str) -> EndpointError:
    """An answer that broke off."""
    return _error(StreamBroken, endpoint, channel, f"The answer of {endpoint.url} broke off.", cause, _restart(endpoint))


def unusable(channel: Channel, endpoint: Endpoint, cause: str) -> EndpointError:
    """An address that cannot be asked."""
    return _error(BadRequest, endpoint, channel, f"{endpoint.url} cannot be asked.", cause, "Check the endpoint's URL.")


def unreadable(channel: Channel, endpoint: Endpoint, error: Exception) -> EndpointError:
    """An answer in no known form."""
    what, cause = f"The answer of {endpoint.url} could not be read.", f"{type(error).__name__}: {error}"
    return _error(EndpointError, endpoint, channel, what, cause, f"Check that it speaks {endpoint.dialect}.")


def strange(channel: Channel, endpoint: Endpoint, cause: str) -> EndpointError:
    """An answer that says nothing in the endpoint's format."""
    what, fix = f"The answer of {endpoint.url} could not be read.", f"Check the URL, and that it speaks {endpoint.dialect}."
    return _error(EndpointError, endpoint, channel, what, cause, fix)


def late(channel: Channel, endpoint: Endpoint, limit: str) -> EndpointError:
    """A time limit that passed."""
    what = {
        "first_byte": f"{endpoint.url} did not begin to answer in time.",
        "gap": f"{endpoint.url} fell silent in the middle of its answer.",
        "total": f"The answer of {endpoint.url} took longer than allowed.",
    }[limit]
    fix = f"Try again, or allow more with Timeouts({limit}=…)."
    return _error(EndpointTimeout, endpoint, channel, what, f"The time limit {limit!r} passed.", fix)


def no_key(endpoint: Endpoint, cause: str) -> EndpointError:
    """A key that is not where the endpoint says."""
    fix = f"Set {endpoint.key_env}." if endpoint.key_env else _restart(endpoint)
    return AuthenticationFailed(f"There is no key for {endpoint.url}.", cause, fix, source=endpoint.source, model=endpoint.model)


def _restart(endpoint: Endpoint) -> str:
    if endpoint.job_id:
        return "Ask again in a moment: a dead engine is started again by itself; where it is not, type start()."
    if _host(endpoint) in LOOPBACK:
        return "Check that the server runs and the URL is right."
    return "Check the network, the proxy (HTTPS_PROXY, or proxy=…) and the URL."


def _host(endpoint: Endpoint) -> str:
    try:
        return urlsplit(endpoint.url).hostname or ""
    except ValueError:
        return ""


def _error(kind: type[EndpointError], endpoint: Endpoint, channel: Channel, what: str, cause: str, fix: str) -> EndpointError:
    return kind(
        what,
        cause,
        fix,
        source=endpoint.source,
        model=endpoint.model,
        request_id=channel.request_id,
        log_tail=last_words(endpoint),
        partial="".join(channel.texts),
    )
