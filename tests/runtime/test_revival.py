"""When a server that died is started again."""

from __future__ import annotations

from workbench.core.jobs import Failure
from workbench.runtime.supervision.revival import HEALTHY_SECONDS, Death, Revival, port_taken


def test_the_pauses_double_and_the_limit_holds() -> None:
    revival = Revival(4)
    assert [revival.after(Death(0.5)) for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, None]
    assert revival.deaths == 5


def test_no_pause_is_longer_than_a_minute() -> None:
    revival = Revival(20)
    assert max(revival.after(Death(0.5)) or 0.0 for _ in range(20)) == 60.0


def test_the_count_begins_anew_after_a_while_of_health() -> None:
    revival = Revival(2)
    assert [revival.after(Death(0.5)), revival.after(Death(0.5)), revival.after(Death(HEALTHY_SECONDS + 1))] == [1.0, 2.0, 1.0]
    assert revival.deaths == 1


def test_none_means_never() -> None:
    assert Revival(0).after(Death(3600.0)) is None


def test_one_that_never_answered_is_not_started_again_unless_its_port_was_taken() -> None:
    assert Revival(3).after(Death(None)) is None
    revival = Revival(3)
    assert [revival.after(Death(None, port_taken=True)) for _ in range(4)] == [0.0, 0.0, 0.0, None]


def test_one_that_does_not_load_after_a_death_counts_as_another_death() -> None:
    revival = Revival(2)
    assert [revival.after(Death(1.0)), revival.after(Death(None)), revival.after(Death(None))] == [1.0, 2.0, None]


def test_the_end_tells_how_often_and_why() -> None:
    revival = Revival(3)
    for _ in range(4):
        revival.after(Death(0.5))
    failure = revival.given_up(Failure("Killed.", "", "last line"), "the dummy")
    assert failure.cause == "The dummy died 4 times in a row, the last time: Killed."
    assert "start()" in failure.fix
    assert failure.log_tail == "last line"
    once = Revival(0)
    once.after(Death(0.5))
    assert once.given_up(Failure("Killed."), "x") == Failure("Killed.")


def test_engines_say_in_many_ways_that_a_port_is_taken() -> None:
    for line in (
        "OSError: [Errno 98] Address already in use",
        "couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 8000",
        "error while attempting to bind on address ('127.0.0.1', 8000): address already in use",
        "listen EADDRINUSE: 8000",
    ):
        assert port_taken(f"loading\n{line}\n"), line
    assert not port_taken("CUDA out of memory")
