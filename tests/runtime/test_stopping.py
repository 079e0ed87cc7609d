"""The way down, step by step, without a clock."""

from __future__ import annotations

from workbench.core.jobs import STOP_AND_SAVE, STOP_NOW
from workbench.runtime.supervision.stopping import Step, WayDown

ASK, TERMINATE, KILL = Step.ASK, Step.TERMINATE, Step.KILL


def way(down: WayDown, level: int, *, listening: bool, times: tuple[float, ...]) -> list[tuple[float, list[Step]]]:
    return [(t, steps) for t in times if (steps := down.due(level, 100.0 + t, listening))]


def test_nothing_is_due_without_a_request() -> None:
    assert way(WayDown(False, 60), 0, listening=True, times=(0, 1000)) == []


def test_a_trainer_at_work_is_asked_and_given_its_time() -> None:
    found = way(WayDown(False, 60), STOP_AND_SAVE, listening=True, times=(0, 1, 44, 45, 50, 60, 70))
    assert found == [(0, [ASK]), (45, [TERMINATE]), (60, [KILL])]


def test_a_trainer_that_cannot_hear_yet_is_terminated_at_once() -> None:
    assert way(WayDown(False, 60), STOP_AND_SAVE, listening=False, times=(0, 59, 60)) == [(0, [ASK, TERMINATE]), (60, [KILL])]


def test_a_server_is_terminated_at_once() -> None:
    assert way(WayDown(True, 10), STOP_AND_SAVE, listening=True, times=(0, 9, 10)) == [(0, [ASK, TERMINATE]), (10, [KILL])]


def test_stop_now_kills_a_trainer_and_gives_a_server_a_moment() -> None:
    assert way(WayDown(False, 60), STOP_NOW, listening=True, times=(0, 1)) == [(0, [KILL])]
    assert way(WayDown(True, 60), STOP_NOW, listening=True, times=(0, 1, 2)) == [(0, [TERMINATE]), (2, [KILL])]


def test_stop_now_does_not_wait_for_an_earlier_stop_and_save() -> None:
    down = WayDown(False, 60)
    down.due(STOP_AND_SAVE, 100.0, True)
    assert down.due(STOP_NOW, 101.0, True) == [KILL]
