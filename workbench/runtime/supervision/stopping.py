"""The way down for a stage that should end: ask, terminate, kill, and when each is due. Does none of it.

===============  =====================================  ================================================
                 stop and save                          stop now
===============  =====================================  ================================================
trainer at work  ask; terminate at 3/4 of the grace;    kill
                 kill at its end
trainer before   ask and terminate (it cannot hear the  kill
its first step   question); kill at the grace's end
server           ask and terminate; kill at the end of  terminate; kill two seconds later, because an
                 the grace                              engine may hold shared memory
===============  =====================================  ================================================

A trainer is killed rather than terminated by "stop now" because it answers a termination by saving, and half a
checkpoint is worse than none.
"""

from __future__ import annotations

from enum import Enum

from ...core.jobs import STOP_NOW

_SERVER_SECONDS = 2.0
_PATIENCE = 0.75


class Step(Enum):
    """What is due."""

    ASK = "ask"
    TERMINATE = "terminate"
    KILL = "kill"


class WayDown:
    """Tells each step when it is due, once.

    Parameters
    ----------
    serves : bool
        The stage is a server.
    grace : float
        Seconds that stopping and saving may take.
    """

    def __init__(self, serves: bool, grace: float) -> None:
        self._serves, self._grace = serves, grace
        self._taken: set[Step] = set()
        self._since: dict[int, float] = {}

    def due(self, level: int, now: float, listening: bool) -> list[Step]:
        """The steps to take now.

        Parameters
        ----------
        level : int
            0, ``STOP_AND_SAVE`` or ``STOP_NOW``.
        now : float
            Seconds by a clock that never goes back.
        listening : bool
            The runner reads its control file.
        """
        if not level:
            return []
        since = self._since.setdefault(level, now)
        if level >= STOP_NOW:
            times = {Step.TERMINATE: 0.0, Step.KILL: _SERVER_SECONDS} if self._serves else {Step.KILL: 0.0}
        else:
            patience = self._grace * _PATIENCE if listening and not self._serves else 0.0
            times = {Step.ASK: 0.0, Step.TERMINATE: patience, Step.KILL: self._grace}
        steps = [step for step, after in times.items() if step not in self._taken and now - since >= after]
        self._taken.update(steps)
        return steps
