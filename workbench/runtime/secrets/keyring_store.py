"""Keys in the system's keyring, under the service ``jupyter-llm-workbench``. The one importer of ``keyring``, which is an
extra; without it nothing is found here. Does not know vendors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ...errors import SettingsError

SERVICE = "jupyter-llm-workbench"
_KEEP, _MISS = 600.0, 30.0  # seconds; a keyring is asked over a bus, and a call must not wait for it every time
_seen: dict[tuple[str, str], tuple[float, str]] = {}
_INSTALL = "pip install 'jupyter-llm-workbench[keyring]'"


def username(source: str, part: str = "key") -> str:
    """The name of an entry, as the system's own tool shows it."""
    return source if part == "key" else f"{source}.{part}"


def get(source: str, part: str = "key") -> str:
    """What is kept, or an empty text; a keyring that cannot be asked has nothing."""
    now = time.monotonic()
    seen = _seen.get((source, part))
    if seen is not None and now - seen[0] < (_KEEP if seen[1] else _MISS):
        return seen[1]
    value = ""
    try:
        import keyring

        value = keyring.get_password(SERVICE, username(source, part)) or ""
    except Exception:  # not installed, locked, or without a backend: the other places remain
        value = ""
    _seen[source, part] = (now, value)
    return value


def put(source: str, value: str, part: str = "key") -> None:
    """Keep a key.

    Raises
    ------
    SettingsError
        Without the package, or when the system has no keyring that can be written.
    """
    _do("keep", lambda keyring: keyring.set_password(SERVICE, username(source, part), value))
    _seen.pop((source, part), None)


def delete(source: str, part: str = "key") -> bool:
    """Forget a key; False when there was none."""
    _seen.pop((source, part), None)
    if not get(source, part):
        return False
    _do("forget", lambda keyring: keyring.delete_password(SERVICE, username(source, part)))
    _seen.pop((source, part), None)
    return True


def _do(verb: str, action: Callable[[Any], None]) -> None:
    try:
        import keyring
    except ImportError:
        raise SettingsError(
            f"The key cannot be {'kept' if verb == 'keep' else 'forgotten'}.", "The package keyring is not installed.", f"Run: {_INSTALL}"
        ) from None
    try:
        action(keyring)
    except Exception as e:
        backend = type(keyring.get_keyring()).__module__
        raise SettingsError(
            f"The system's keyring did not {verb} the key.",
            f"{backend}: {type(e).__name__}",
            "A machine without a desktop often has no keyring: put the variable into your shell's profile or into ./.env instead.",
        ) from None
