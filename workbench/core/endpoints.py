"""Where a model answers. An endpoint names the key's place, never the key."""

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
    """

    url: str
    model: str = ""
    dialect: str = "openai_chat"
    key_file: str = ""
    key_env: str = ""
    job_id: str = ""
    source: str = "local"
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
