"""What of an engine's log stands in an error: the errors, not the traceback through the engine's files."""

from __future__ import annotations

import pytest

from workbench.errors import EndpointDown, JobFailed
from workbench.log_excerpt import excerpt

_PLACE = "/envs/vllm/lib/python3.11/site-packages/vllm"


def _engine_log(error: str) -> str:
    """The form of vLLM 0.32: the engine's process tells its traceback through the log, the server's through stderr."""
    mark = "(EngineCore pid=1234) ERROR 11-21 10:03:15 [core.py:1165] "
    frames = [f'  File "{_PLACE}/v1/engine/core.py", line {i}, in step_{i}\n    self.step_{i}(\n        model,\n    ^^^^^^^' for i in range(9)]
    body = "\n".join(["Traceback (most recent call last):", *frames, error])
    server = [f'  File "{_PLACE}/entrypoints/serve.py", line {i}, in main\n    main()' for i in range(9)]
    lines = [mark + line for line in body.splitlines()] + ["(EngineCore pid=1234) " + line for line in body.splitlines()]
    lines += ["(APIServer pid=1) " + line for line in ("Traceback (most recent call last):", *"\n".join(server).splitlines())]
    return "\n".join([*lines, "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above."])


def test_of_a_long_traceback_the_errors_stay() -> None:
    lines, cut = excerpt(_engine_log("ValueError: There is no room."))
    assert lines == "ValueError: There is no room.", "the one that points back to it says nothing"
    assert cut


def test_frames_of_the_users_own_file_stay() -> None:
    frames = f'  File "{_PLACE}/x.py", line 3, in run\n    f()\n  File "/home/me/mine.py", line 7, in f\n    1 / 0\n    ~~^~~\n'
    log = f"Traceback (most recent call last):\n{frames}"
    lines, _ = excerpt(log + "ZeroDivisionError: division by zero")
    assert lines.splitlines() == ['  File "/home/me/mine.py", line 7, in f', "    1 / 0", "ZeroDivisionError: division by zero"]


def test_a_short_log_stays_as_it_is() -> None:
    assert excerpt("one\none\n") == ("one", False)
    assert excerpt("listening on 1\n  indented\nbye\n") == ("listening on 1\n  indented\nbye", False)


def test_many_plain_lines_are_cut_to_the_last_and_long_ones_shortened() -> None:
    lines, cut = excerpt("\n".join(f"line {i}" for i in range(40)) + "\n" + "x" * 5000)
    assert lines.startswith("line 35\n")
    assert len(lines.splitlines()) == 6
    assert len(lines) < 400
    assert cut


def test_lines_that_are_no_errors_stay_as_their_engine_wrote_them() -> None:
    log = [f"0.00.{i:03}.000 I load_tensors: layer {i}" for i in range(20)]
    assert excerpt("\n".join(log))[0].splitlines() == log[-6:]
    lines, _ = excerpt("\n".join([*log, "0.01.000.000 E llama_model_load: no room", "0.01.000.001 W srv: bye"]))
    assert lines == "error: llama_model_load: no room"


def test_an_error_that_came_before_many_lines_is_kept() -> None:
    lines, _ = excerpt("OSError: [Errno 28] No space left on device\n" + "\n".join(f"[rank{i}] goes" for i in range(30)))
    assert lines.splitlines()[0] == "OSError: [Errno 28] No space left on device"


@pytest.mark.parametrize("error", [JobFailed, EndpointDown])
def test_the_message_is_short_and_tells_where_the_rest_is(error: type[JobFailed] | type[EndpointDown]) -> None:
    log = _engine_log("ValueError: There is no room.")
    raised = JobFailed("It failed.", "No room.", "Make room.", job_id="abc", log_tail=log) if error is JobFailed else error("It died.", log_tail=log)
    assert len(str(raised).splitlines()) <= 8
    assert str(raised).splitlines()[-1].startswith("(shortened;")
    assert "logs()" in str(raised).splitlines()[-1]
    assert raised.log_tail == log
