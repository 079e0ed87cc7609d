"""A result that a vendor keeps at an address: fetched without any key, over https, and only if it is what was promised.

Knows no vendor and no wire format.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin, urlsplit

from ...core import sizes
from ...core.endpoints import LOOPBACK, Endpoint, Timeouts
from ...core.media import Media, of_bytes
from ...errors import EndpointDown, EndpointError, EndpointTimeout
from .. import loop
from . import http

LIMIT = 512 * 2**20  # bytes of one file
_REDIRECTS = 5
_ATTEMPTS = 3


async def fetch(file: Media, endpoint: Endpoint, timeouts: Timeouts | None = None) -> Media:
    """The file with its content.

    Parameters
    ----------
    file : Media
        One that has an address and no content.
    endpoint : Endpoint
        Who gave the address: its proxy and certificates are used, its key and headers are not. Addresses on this machine are
        taken from servers on this machine only.
    timeouts : Timeouts, optional

    Raises
    ------
    EndpointError
        When the address may not be asked, or does not give such a file.
    """
    return await asyncio.wrap_future(loop.spawn(_fetch(file, endpoint, timeouts or Timeouts())))


async def _fetch(file: Media, endpoint: Endpoint, timeouts: Timeouts) -> Media:
    url = file.url
    try:
        async with asyncio.timeout(timeouts.total if timeouts.total is not None else 600.0):
            for _ in range(_REDIRECTS):
                found = await _step(url, file, endpoint, timeouts)
                if isinstance(found, Media):
                    return found
                url = urljoin(url, found)
    except TimeoutError:
        raise _error(EndpointTimeout, endpoint, file, "did not come in time", "The time limit passed.") from None
    raise _error(EndpointError, endpoint, file, "is not there", f"It is passed on more than {_REDIRECTS} times.")


async def _step(url: str, file: Media, endpoint: Endpoint, timeouts: Timeouts) -> Media | str:
    """The file, or the address that it is passed on to."""
    if not _allowed(url, endpoint):
        raise _error(EndpointError, endpoint, file, "is not fetched", f"{_shown(url)} is neither https nor on the server's own machine.")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with http.send("GET", url, None, {}, connect_timeout=timeouts.connect, network=endpoint.network) as answer:
                if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("location"):
                    return answer.headers["location"]
                if answer.status != 200:
                    raise _error(EndpointError, endpoint, file, "is not there", f"{_shown(url)} answers HTTP {answer.status}.")
                return await _read(answer, file, endpoint)
        except (http.ConnectFailed, http.Disconnected) as e:
            if attempt == _ATTEMPTS:
                raise _error(EndpointDown, endpoint, file, "cannot be fetched", f"{_shown(url)}: {e}") from None
            await asyncio.sleep(0.2 * 2.0**attempt)
        except http.NotHttp as e:
            raise _error(EndpointError, endpoint, file, "cannot be fetched", f"{_shown(url)}: {e}") from None
    raise AssertionError("unreachable")


async def _read(answer: http.Answer, file: Media, endpoint: Endpoint) -> Media:
    parts, size = list[bytes](), 0
    async for chunk in answer.chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > LIMIT:
            raise _error(EndpointError, endpoint, file, "is too large", f"It has more than {sizes.size(LIMIT)}.")
    declared = answer.headers.get("content-type", "")
    found = of_bytes(b"".join(parts), "" if declared.startswith("text/plain") else declared, file.name)
    if found.kind != file.kind and found.mime != "application/octet-stream":
        seen = of_bytes(found.data, "", file.name)  # servers of files often name them wrongly
        if seen.kind != file.kind:
            raise _error(EndpointError, endpoint, file, f"is no {file.kind}", f"Its address gives {declared or seen.mime}.")
        found = seen
    if not found.data:
        raise _error(EndpointError, endpoint, file, "is empty", "Its address gives nothing.")
    mime = found.mime if found.kind == file.kind else file.mime
    return Media(file.kind, mime, found.data, "", file.name)


def _allowed(url: str, endpoint: Endpoint) -> bool:
    parts = urlsplit(url)
    if (parts.hostname or "") in LOOPBACK:
        return (urlsplit(endpoint.url).hostname or "") in LOOPBACK
    return parts.scheme == "https"


def _shown(url: str) -> str:
    """An address without what signs it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _error(kind: type[EndpointError], endpoint: Endpoint, file: Media, what: str, cause: str) -> EndpointError:
    noun = {"image": "picture", "audio": "sound"}.get(file.kind, file.kind)
    text = f"The {noun} that {endpoint.source or endpoint.url} made {what}."
    return kind(text, cause, "Try the call again; such addresses end after a while.", source=endpoint.source, model=endpoint.model)
