"""How a pump ends: what whoever reads its channel is told, by the error that ended it, a time limit, or nobody reading any more.

The same for chats, calls and served functions. Sends nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from ...core.endpoints import Endpoint, Timeouts
from ...errors import WorkbenchError
from ..network.deadline import Deadline
from . import failures
from .channel import Channel


@contextlib.contextmanager
def pumping(channel: Channel, endpoint: Endpoint, timeouts: Timeouts) -> Iterator[Deadline]:
    """The time limits of one request, for the block in a task of its own that sends it; the channel ends with the block and never raises."""
    watch = Deadline(timeouts)
    try:
        yield watch
        channel.end()
    except asyncio.CancelledError:
        if watch.expired:
            channel.end(failures.late(channel, endpoint, watch.expired))
        else:
            channel.cancelled = not channel.ended or channel.cancelled
            channel.end()
    except WorkbenchError as e:
        channel.end(e)
    except Exception as e:
        channel.end(failures.unreadable(channel, endpoint, e))
    finally:
        watch.stop()
