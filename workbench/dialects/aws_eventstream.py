"""Amazon's event stream framing: bytes in any fragments → messages, both checksums checked. Does not know what is in them.

Format: https://smithy.io/2.0/aws/amazon-eventstream.html. A message is its length and the length of its headers (4 bytes each, big
endian), a CRC-32 of these eight bytes, the headers, the payload, and a CRC-32 of all before it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LARGEST = 24 * 1024 * 1024  # bytes of one message, by the format
_FIXED = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # header type → bytes of its value


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. Headers that are not text are left out: nothing here needs one."""

    headers: Mapping[str, str]
    payload: bytes = field(repr=False)


class Frames:
    """Feed it bytes, take the messages that are whole. Raises ValueError for what is not of this format."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that are whole now."""
        self._held += data
        while len(self._held) >= 12:
            total, head, check = struct.unpack_from(">III", self._held)
            if zlib.crc32(self._held[:8]) != check:
                raise ValueError("a message's beginning does not fit its checksum")
            if not 16 + head <= total <= LARGEST:
                raise ValueError(f"a message of {total} bytes cannot be")
            if len(self._held) < total:
                return
            message = bytes(self._held[:total])
            del self._held[:total]
            if zlib.crc32(message[:-4]) != struct.unpack(">I", message[-4:])[0]:
                raise ValueError("a message does not fit its checksum")
            yield Frame(_headers(message[12 : 12 + head]), message[12 + head : -4])

    @property
    def cut(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._held)


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name, kind = data[at + 1 : at + 1 + size].decode(), data[at + 1 + size]
            at += 2 + size
            if kind in (0, 1):  # true and false have no bytes
                continue
            if kind in (6, 7):
                (length,) = struct.unpack_from(">H", data, at)
                if kind == 7:
                    found[name] = data[at + 2 : at + 2 + length].decode()
                at += 2 + length
            else:
                at += _FIXED[kind]
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        raise ValueError("a message's headers cannot be read") from None
    return found
