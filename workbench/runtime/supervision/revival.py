"""Whether a server that ended by itself is started again, and when. Starts nothing.

One that has answered is, after 1, 2, 4 … seconds, so often in a row as it was told; the count begins anew when it has answered for
a while. One that never came up would not come up the next time either, except when its port was taken in the moment of the start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...core.jobs import Failure

HEALTHY_SECONDS = 60.0
_LONGEST_SECONDS = 60.0
_PORT_TAKEN = re.compile(r"address already in use|couldn't bind|EADDRINUSE|port \d+ (?:is|was) (?:already )?(?:taken|in use)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Death:
    """An end that nobody asked for.

    Attributes
    ----------
    answered : float or None
        For how many seconds it had answered; None when it was still loading.
    port_taken : bool
        Somebody else was faster with its port.
    """

    answered: float | None
    port_taken: bool = False


class Revival:
    """Counts the deaths of one server.

    Parameters
    ----------
    limit : int
        How often in a row it is started again.

    Attributes
    ----------
    deaths : int
        How often in a row it has died.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.deaths = max(0, limit), 0
        self._answered = False

    def after(self, death: Death) -> float | None:
        """The seconds to wait before the next start; None for no other start."""
        self._answered = self._answered or death.answered is not None
        if death.answered is not None and death.answered >= HEALTHY_SECONDS:
            self.deaths = 0
        self.deaths += 1
        if self.deaths > self.limit or not (self._answered or death.port_taken):
            return None
        return 0.0 if death.port_taken else min(_LONGEST_SECONDS, 2.0 ** (self.deaths - 1))

    def given_up(self, last: Failure, title: str) -> Failure:
        """The failure of a server that is not started again."""
        if self.deaths < 2:
            return last
        fix, who = last.fix or "Its log says more; start() tries again.", f"The {title[4:]}" if title.startswith("the ") else title
        return Failure(f"{who} died {self.deaths} times in a row, the last time: {last.cause}", fix, last.log_tail)


def port_taken(log_tail: str) -> bool:
    """Whether an engine's last lines say that somebody else had its port."""
    return _PORT_TAKEN.search(log_tail) is not None
