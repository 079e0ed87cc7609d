"""Which certificates are trusted: the usual ones, those of a file or folder that is named, or all. Connects to nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .http_answer import NotHttp

if TYPE_CHECKING:
    import ssl

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


def trusted(verify: bool | str) -> ssl.SSLContext | bool:
    """What httpx takes: whether to check at all, or a context with the certificates of a file or folder.

    Raises
    ------
    NotHttp
        When that cannot be read.
    """
    import ssl

    place = verify if isinstance(verify, str) else next((os.environ[n] for n in VARIABLES if os.environ.get(n)), "") if verify else ""
    if not place:
        return bool(verify)
    try:
        return ssl.create_default_context(capath=place) if os.path.isdir(place) else ssl.create_default_context(cafile=place)
    except OSError as e:
        raise NotHttp(f"The certificates in {place} cannot be read: {e.strerror or e}") from None


def context(verify: bool | str) -> ssl.SSLContext:
    """The same as a context."""
    import ssl

    found = trusted(verify)
    if not isinstance(found, bool):
        return found
    default = ssl.create_default_context()
    if not found:
        default.check_hostname = False
        default.verify_mode = ssl.CERT_NONE
    return default
