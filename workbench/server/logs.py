"""A job's log, a part at a time, so that a page can follow one that grows."""

from __future__ import annotations

from typing import Any

from ..store import Store

FIRST, MOST = 64_000, 256_000  # bytes: of a first look, and of one answer


def read_log(store: Store, job_id: str, after: int = -1) -> dict[str, Any]:
    """The log past the byte ``after``; its last 64 kB, from a line's start, when that is negative.

    Returns
    -------
    dict
        ``text``; ``offset``, to ask past next time; ``size`` of the whole; ``ended``, whether nothing more will come.

    Raises
    ------
    JobNotFound
        When there is no such job.
    """
    record = store.job(job_id)
    ended = not record.state.active  # read before the file, so that a log said to be whole is whole
    path = store.place(record.id).log
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - FIRST) if after < 0 or after > size else after
            file.seek(start)
            data = file.read(MOST)
    except FileNotFoundError:
        return {"text": "", "offset": 0, "size": 0, "ended": ended}
    if after < 0 and start:
        cut = data.find(b"\n") + 1
        data, start = data[cut:], start + cut
    whole = len(data) if ended and start + len(data) >= size else _last_whole(data)
    return {
        "text": data[:whole].decode("utf-8", "replace"),
        "offset": start + whole,
        "size": size,
        "ended": ended and start + whole >= size,
    }


def _last_whole(data: bytes) -> int:
    """Where the last whole character ends: a reader may come between the bytes of one."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            length = 1 if byte < 0x80 else 2 if byte >> 5 == 6 else 3 if byte >> 4 == 14 else 4
            return len(data) if length <= back else len(data) - back
    return len(data)
