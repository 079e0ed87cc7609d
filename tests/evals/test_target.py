"""What is asked and how: modules, flows, functions; rows as arguments; what a server that is busy does to the pace."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.evals import Function, compare, evaluate
from workbench.evals.pace import Pace
from workbench.evals.target import parallel
from workbench.evals.values import EvalCase

pytestmark = pytest.mark.usefixtures("home")


class Busy(BaseHTTPRequestHandler):
    """Answers at most ``room`` at a time and refuses others, as vendors do."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    room, now, most, refused = 2, 0, 0, 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = type(self)
        with kind.lock:
            kind.now += 1
            kind.most = max(kind.most, kind.now)
            over = kind.now > kind.room
            kind.refused += over
        try:
            if over:
                self.reply(429, {"error": {"message": "Too many requests", "type": "rate_limit_exceeded"}}, {"Retry-After": "0.05"})
                return
            time.sleep(0.02)
            text = body["messages"][-1]["content"].upper()
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "model": "m",
                "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}],
            }
            self.reply(200, f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n", {"Content-Type": "text/event-stream"})
        finally:
            with kind.lock:
                kind.now -= 1

    def reply(self, status: int, body: Any, headers: dict[str, str]) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[tuple[type[Busy], wb.TrainableModule]]:
    handler = type("Handler", (Busy,), {"lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, wb.TrainableModule("m").deploy_method(wb.deploy.auto, url=f"http://127.0.0.1:{server.server_port}/v1/")
    server.shutdown()
    server.server_close()


def test_a_server_that_says_too_many_gets_fewer_and_every_row_its_answer(busy: tuple[type[Busy], wb.TrainableModule]) -> None:
    handler, module = busy
    result = evaluate(module, [(f"q{i}", f"Q{i}") for i in range(60)], concurrency=12, show=False)
    assert (result.errors, result.summary()[0].means) == (0, (1.0,))
    assert handler.refused > 0
    assert handler.refused < 60  # it learnt


def test_the_pace_falls_and_rises_again_when_a_request_is_refused_deep_inside() -> None:
    from workbench.errors import RateLimited
    from workbench.runtime.network import refusals

    async def main() -> tuple[int, int]:
        pace = Pace(8)

        async def refused() -> None:
            refusals.tell(RateLimited("Too many.", retry_after=0.0))

        async def fine() -> None:
            return None

        await pace.run(refused)
        low = pace.limit
        for _ in range(60):
            await pace.run(fine)
        return low, pace.limit

    assert asyncio.run(main()) == (4, 8)


def test_other_keys_of_a_row_go_to_parameters_of_that_name() -> None:
    def answer(question: str, context: str, style: str = "short") -> str:
        return f"{question}|{context}|{style}"

    rows = [
        {"question": "q", "context": "c", "expected": "q|c|short"},
        {"question": "q", "context": "c", "style": "long", "note": "mine", "expected": "q|c|long"},
    ]
    assert evaluate(answer, rows, show=False).summary()[0].means == (1.0,)
    assert evaluate(lambda text, lang="en": f"{text}{lang}", [{"input": "x", "lang": "de", "expected": "xde"}], show=False).summary()[0].means == (
        1.0,
    )
    assert evaluate(lambda text: text, [{"input": "x", "lang": "de", "expected": "x"}], show=False).summary()[0].means == (1.0,)

    class Module(wb.ModuleBase):
        def forward(self, input: str, lang: str = "en") -> str:
            return input + lang

    assert evaluate(Module(), [{"input": "x", "lang": "de", "expected": "xde"}], show=False).summary()[0].means == (1.0,)


def test_a_right_answer_is_no_argument_unless_it_is_needed() -> None:
    def grade(question: str, answer: str) -> str:
        return answer + question

    def plain(question: str, answer: str = "hidden") -> str:
        return answer

    row = {"question": "q", "answer": "a"}
    assert evaluate(grade, [row], show=False)[0] == "aq"
    assert evaluate(plain, [row], show=False)[0] == "hidden"


def test_flows_and_actions_are_asked_side_by_side_and_their_tokens_counted() -> None:
    m = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()
    flow = wb.pipeline(m, str.upper)
    result = compare(flow, wb.ActionModule(flow), evalset=["a", "b"], show=False)
    assert result.errors == 0
    assert {o.usage.completion_tokens > 0 for r in result.rows for o in r.outputs} == {True}
    assert result[0][0] == result[0][1] != ""

    now, most, lock = 0, 0, threading.Lock()

    def count(x: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return x

    assert evaluate(wb.pipeline(count), range(40), concurrency=20, show=False) == list(range(40))
    assert most > 10
    m.stop()


def test_a_module_that_blocks_is_asked_in_as_many_threads_as_rows() -> None:
    barrier = threading.Barrier(24)

    class Waits(wb.ModuleBase):
        def forward(self, x: int) -> int:
            barrier.wait(10)
            return x

    assert evaluate(Waits(), range(24), concurrency=24, show=False) == list(range(24))


def test_a_module_whose_forward_is_async_is_awaited() -> None:
    class Module(wb.ModuleBase):
        async def forward(self, x: int) -> int:
            await asyncio.sleep(0.01)
            return x + 1

    assert evaluate(Module(), range(50), concurrency=50, show=False) == list(range(1, 51))


def test_a_row_remembers_nothing_of_the_one_before() -> None:
    m = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()
    with wb.session("talk"):
        m("before")
        result = compare(m, m, evalset=["one", "two"], show=False)
    assert result.errors == 0
    m.stop()


def test_how_many_at_a_time_fits_what_is_asked() -> None:
    local = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy)

    class Holds(wb.ModuleBase):
        def __init__(self) -> None:
            super().__init__()
            self.m = local

    assert (parallel(str.upper), parallel(local), parallel(Holds()), parallel(wb.pipeline(local, str))) == (8, 4, 4, 4)


def test_scorers_take_arguments_by_name_or_by_place() -> None:
    case = EvalCase(0, "in", "right")
    functions: list[Any] = [
        lambda output: output == "said",
        lambda x, y: (x, y) == ("said", "right"),
        lambda x, y, z: (x, y, z) == ("said", "right", case),
        lambda question, prediction: (question, prediction) == ("in", "said"),
        lambda reference, output: (reference, output) == ("right", "said"),
        lambda expected, row, output: (expected, row, output) == ("right", case, "said"),
    ]
    assert [Function(f, "f").judge("said", case) for f in functions] == [True] * 6


def test_a_result_reads_like_the_list_of_its_answers(home: Path) -> None:
    class Module(wb.ModuleBase):
        def forward(self, input: int) -> str:
            return f"reply for {input}"

    m = Module()
    m.evalset([1, 2, 3])
    result = m.eval().eval_result
    assert result == ["reply for 1", "reply for 2", "reply for 3"]
    assert (result[0], result[-1], len(result), [*result][1:]) == ("reply for 1", "reply for 3", 3, result[1:])
    assert result != ["something else"]
    assert result in {result}


def test_a_text_with_odd_line_ends_is_one_row_on_disk(home: Path) -> None:
    odd = "a\u2028b\x85c\x0bd"
    result = evaluate(lambda x: x, [odd], show=False)
    assert wb.EvalResult.load(result.id) == [odd]
    empty = evaluate(lambda x: {"": 0, "n": 0, "f": False}[x], ["n", "f"], show=False)
    assert wb.EvalResult.load(empty.id).outputs == [0, False]
