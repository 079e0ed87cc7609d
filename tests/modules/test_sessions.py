"""Sessions: what a module was told comes before its next call in the same session, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import workbench as wb


@pytest.fixture
def echo(home: Path) -> Iterator[wb.TrainableModule]:
    yield wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, text="ok").start()
    for name in ("alice", "bob"):
        wb.end_session(name)


def said(module: wb.TrainableModule) -> list[str]:
    return [str(m.content) for m in module.request("now").messages]


def test_a_session_remembers_and_another_does_not(echo: wb.TrainableModule) -> None:
    with wb.session("alice"):
        echo("one")
        assert said(echo) == ["one", "ok", "now"]
    assert said(echo) == ["now"]
    with wb.session("bob"):
        assert said(echo) == ["now"]
        echo("two")
    with wb.session("alice") as session:
        assert said(echo) == ["one", "ok", "now"]
        assert [m.role for m in session.history(echo)] == ["user", "assistant"]
        session.clear(echo)
        assert said(echo) == ["now"]
    wb.end_session("bob")
    with wb.session("bob"):
        assert said(echo) == ["now"]


def test_every_module_has_its_own_turns_after_those_of_its_prompt(echo: wb.TrainableModule) -> None:
    face = echo.share(prompt="S", history=[["a", "b"]])
    with wb.session():
        echo("one")
        face("two")
        assert said(face) == ["S", "a", "b", "two", "ok", "now"]
        assert said(echo) == ["one", "ok", "now"]


def test_streams_and_awaited_calls_are_remembered(echo: wb.TrainableModule) -> None:
    with wb.session():
        echo.stream("one").join()
        asyncio.run(echo.acall("two"))
        list(wb.StreamCallHelper(echo)("three"))
        assert said(echo) == ["one", "ok", "two", "ok", "three", "ok", "now"]


def test_a_call_with_a_history_of_its_own_neither_reads_nor_writes_the_session(echo: wb.TrainableModule) -> None:
    with wb.session():
        echo("one")
        echo("two", llm_chat_history=[["x", "y"]])
        assert said(echo) == ["one", "ok", "now"]
        assert [m.content for m in echo.request("now", [["x", "y"]]).messages] == ["x", "y", "now"]


def test_users_side_by_side_never_mix(echo: wb.TrainableModule) -> None:
    def talk(user: int) -> list[str]:
        with wb.session(f"user {user}"):
            for n in range(3):
                echo(f"{user}-{n}")
            return [s for s in said(echo) if "-" in s]

    with ThreadPoolExecutor(6) as threads:
        heard = list(threads.map(talk, range(6)))
    assert heard == [[f"{u}-{n}" for n in range(3)] for u in range(6)]


def test_an_evaluation_inside_a_session_asks_every_row_afresh(echo: wb.TrainableModule) -> None:
    with wb.session() as session:
        echo.evalset(["a", "b"]).eval()
        assert session.history(echo) == ()
