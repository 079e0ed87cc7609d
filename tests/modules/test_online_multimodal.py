"""Sound and pictures of vendors, through the modules a user writes: results, tasks, what is fetched from where."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import pickle
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench import errors
from workbench.core.answers import Answer
from workbench.core.endpoints import Timeouts
from workbench.core.media import Media
from workbench.data.media import media, wav
from workbench.formatters import decode_query_with_filepaths, encode_query_with_filepaths
from workbench.modules.typed.results import Audio, Images

from ..support.openai_types import read_through
from ..support.scripted_http import Asked, Reply, scripted

PNG = media(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).data
SECOND = wav(b"\x01\x00" * 24000, 1, 24000)


def module(kind: str, url: str, **more: Any) -> Any:
    return wb.OnlineModule("m", url=url, type=kind, skip_auth=True, **more)


# ---- speech to text


def test_a_sound_in_any_form_becomes_a_text(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    path.write_bytes(SECOND)
    with scripted({"text": "hello", "language": "en"}) as server:
        stt = module("stt", server.url)
        for sound in (path, str(path), SECOND, (np.zeros(100), 16000), media(SECOND).data_url, encode_query_with_filepaths("", [str(path)])):
            answer = stt(sound)
            assert answer == "hello"
            assert server.last.path == "/v1/audio/transcriptions"
            assert server.last.form["file"][0][1][:4] == b"RIFF"
        assert isinstance(answer, Answer)
        assert stt(Audio(media(SECOND))) == "hello"
        assert stt("", files=[path], language="en") == stt(lazyllm_files=str(path)) == "hello"
        assert asyncio.run(stt.acall(path)) == "hello"
        with pytest.raises(errors.ArgumentError, match="one sound"):
            stt()
        with pytest.raises(errors.DataError, match="cannot be read"):
            stt("no/such.wav")
        with pytest.raises(errors.ArgumentError, match="'language'"):
            stt(path, langage="en")


def test_an_address_is_fetched_without_the_key_where_the_server_takes_files_only(home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(body=SECOND, mime="audio/x-wav") if asked.method == "GET" else Reply({"text": "hello"})

    with scripted(answer) as server:
        stt = wb.OnlineMultiModalModule("openai", "m", "stt", server.url, api_key="sk-marked-1234")
        assert stt(f"{server.host}/said.wav") == "hello"
        assert "authorization" not in server.asked[0].headers
        assert server.last.headers["authorization"] == "Bearer sk-marked-1234"
        assert server.last.form["file"] == [("said.wav", SECOND)]


# ---- text to speech


def test_speech_is_a_sound_that_plays_and_saves(home: Path, tmp_path: Path) -> None:
    with scripted(lambda asked: Reply(body=SECOND, mime="audio/wav")) as server:
        tts = module("tts", server.url, voice="alloy")
        spoken = tts("Good morning!", format="wav")
        assert server.last.json == {"model": "m", "input": "Good morning!", "voice": "alloy", "response_format": "wav"}
    assert isinstance(spoken, Audio)
    assert (spoken.data, spoken.mime, spoken.sample_rate, spoken.duration) == (SECOND, "audio/wav", 24000, 1.0)
    assert spoken.save(tmp_path / "deep" / "a.wav").read_bytes() == SECOND
    assert [spoken.save(tmp_path).name, spoken.save(str(tmp_path) + "/").name] == ["speech-1.wav", "speech-2.wav"]
    assert spoken._repr_html_().startswith("<audio controls")
    assert media(spoken).data == SECOND


def test_a_result_is_an_encoded_query_that_names_its_file(home: Path) -> None:
    spoken = Audio(Media("audio", "audio/wav", SECOND))
    drawn = Images([Media("image", "image/png", PNG), Media("image", "image/png", PNG + b" ")])
    for result, count in ((spoken, 1), (drawn, 2)):
        assert isinstance(result, str)
        found = decode_query_with_filepaths(result)
        assert isinstance(found, dict)
        assert [Path(f).is_file() for f in found["files"]] == [True] * count
        assert found == decode_query_with_filepaths(result.encoded()) == json.loads(str(result).removeprefix("<lazyllm-query>"))
        for twin in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
            assert twin == result
            assert repr(twin) == repr(result)


def test_bare_samples_get_a_head_so_that_they_play(home: Path) -> None:
    with scripted(lambda asked: Reply(body=b"\1\0" * 8000, mime="audio/pcm; rate=8000")) as server:
        spoken = module("tts", server.url)("Hi", format="pcm")
    assert (spoken.mime, spoken.sample_rate, spoken.duration) == ("audio/wav", 8000, 1.0)


def test_speech_streams_and_joins_to_the_same_sound(home: Path) -> None:
    pieces = [SECOND[i : i + 5000] for i in range(0, len(SECOND), 5000)]
    with scripted(lambda asked: Reply(body=pieces, mime="audio/wav")) as server:
        tts = module("tts", server.url)
        stream = tts.stream("Hi", format="wav")
        assert b"".join(stream) == SECOND
        assert stream.join().data == SECOND

        async def heard() -> bytes:
            return b"".join([p async for p in tts.stream("Hi")])

        assert asyncio.run(heard()) == SECOND
        assert tts.stream("Hi").join().duration == 1.0


def test_leaving_a_stream_of_speech_ends_the_request(home: Path) -> None:
    ended = threading.Event()

    class Endless(list[bytes]):
        def __iter__(self) -> Any:
            try:
                while True:
                    yield bytes(1000)
                    time.sleep(0.01)
            except GeneratorExit:
                ended.set()
                raise

    def answer(asked: Asked) -> Reply:
        return Reply(body=Endless([b""]), mime="audio/mpeg")

    with scripted(answer) as server:
        with module("tts", server.url).stream("Hi") as stream:
            assert len(next(iter(stream))) > 0
        assert ended.wait(10)


def test_a_stream_that_is_refused_raises_when_it_is_read(home: Path) -> None:
    with scripted(lambda asked: Reply({"error": {"message": "no such voice"}}, status=400)) as server:
        tts = module("tts", server.url)
        with pytest.raises(errors.BadRequest, match="no such voice"):
            list(tts.stream("Hi"))
        with pytest.raises(errors.ArgumentError, match="no text to say"):
            tts("")
    with pytest.raises(errors.ArgumentError, match="does not stream"):
        module("sd", "http://127.0.0.1:1/v1").stream("Hi")


def test_an_answer_without_sound_is_an_error_that_says_what_came(home: Path) -> None:
    with scripted({"detail": "this is no sound"}) as server, pytest.raises(errors.EndpointError, match="no sound"):
        module("tts", server.url)("Hi")


# ---- pictures


def test_pictures_are_a_sequence_that_shows_and_never_overwrites(home: Path, tmp_path: Path) -> None:
    packed = base64.b64encode(PNG).decode()
    with scripted({"data": [{"b64_json": packed, "revised_prompt": "a small cat"}, {"b64_json": packed}]}) as server:
        drawn = module("sd", server.url)("a cat", n=2)
        assert server.last.json == {"model": "m", "prompt": "a cat", "n": 2}
    assert isinstance(drawn, Images)
    assert (len(drawn), bool(drawn), drawn.text) == (2, True, "a small cat")
    assert [i.data for i in drawn] == [PNG, PNG] == [i.data for i in drawn[:2]]
    assert drawn[-1].pil().size == (4, 4)
    assert [p.size for p in drawn.pil()] == [(4, 4)] * 2
    first = drawn.save(tmp_path / "cats")
    second = drawn.save(tmp_path / "cats")
    assert len({*first, *second}) == 4
    assert {p.read_bytes() for p in (*first, *second)} == {PNG}
    assert set(drawn[0]._repr_mimebundle_()[0]) == {"text/plain", "image/png"}
    assert drawn._repr_mimebundle_()[0]["text/html"].count("<img") == 2
    assert drawn.paths[0] == drawn.paths[1]  # equal content lies there once


def test_pictures_at_an_address_are_fetched_without_the_key(home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/there":
            return Reply(status=302, headers={"Location": "/elsewhere.png"})
        if asked.method == "GET":
            return Reply(body=PNG, mime="application/octet-stream")
        return Reply({"images": [{"url": f"http://{asked.headers['host']}/there"}]})

    with scripted(answer) as server:
        drawn = wb.OnlineMultiModalModule("siliconflow", "m", "sd", server.url, api_key="sk-marked-1234")("a cat", size="1024x1024")
        assert drawn[0].data == PNG
        assert server.asked[0].json["image_size"] == "1024x1024"
        assert [("authorization" in a.headers) for a in server.asked] == [True, False, False]


@pytest.mark.parametrize(
    ("address", "reply", "says"),
    [
        ("http://example.com/a.png", Reply(), "neither https"),
        ("file:///etc/passwd", Reply(), "neither https"),
        ("{host}/a.png", Reply(body=b"<html>gone</html>", mime="text/html"), "is no image"),
        ("{host}/a.png", Reply(status=404), "HTTP 404"),
        ("{host}/a.png", Reply(body=[b""], mime="image/png"), "is empty"),
        ("{host}/a.png", Reply(status=302, headers={"Location": "http://example.com/b.png"}), "neither https"),
        ("{host}/a.png", Reply(status=302, headers={"Location": "/a.png"}), "more than 5 times"),
    ],
)
def test_an_address_that_is_not_what_was_promised_is_refused(home: Path, address: str, reply: Reply, says: str) -> None:
    def answer(asked: Asked) -> Reply:
        return reply if asked.method == "GET" else Reply({"data": [{"url": address.format(host=f"http://{asked.headers['host']}")}]})

    with scripted(answer) as server, pytest.raises(errors.EndpointError, match=says):
        module("sd", server.url)("a cat")


def test_an_address_on_this_machine_is_not_taken_from_a_vendor_elsewhere() -> None:
    from workbench.core.endpoints import Endpoint
    from workbench.runtime.network.fetch import fetch

    file = Media("image", "image/png", b"", "http://127.0.0.1:9/a.png")
    with pytest.raises(errors.EndpointError, match="neither https nor on the server's own machine"):
        asyncio.run(fetch(file, Endpoint("https://api.example.com/v1", source="openai")))


def test_edits_send_the_pictures_in_a_form(home: Path, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    with scripted({"data": [{"b64_json": base64.b64encode(PNG).decode()}]}) as server:
        edit = module("image_editing", server.url)
        for files in (path, [str(path)], [Image.new("RGB", (2, 2))], edit("blue", files=path)):
            assert len(edit("make it blue", files=files)) == 1
            assert server.last.path == "/v1/images/edits"
            assert server.last.form["image"][0][1].startswith(b"\x89PNG")
        edit(encode_query_with_filepaths("make it blue", [str(path)]))
        assert server.last.form["prompt"] == [("", b"make it blue")]
        edit("x", files=[path, path], mask=PNG)
        assert len(server.last.form["image[]"]) == 2
        assert server.last.form["mask"][0][0] == "image.png"
        with pytest.raises(errors.ArgumentError, match="no picture to change"):
            edit("make it blue")


def test_a_picture_is_not_asked_for_twice_when_the_connection_ends(home: Path) -> None:
    def answer(asked: Asked) -> Reply:
        raise ConnectionResetError  # the handler's thread ends, and with it the connection

    with scripted(answer) as server:
        with pytest.raises(errors.EndpointError):
            module("sd", server.url)("a cat")
        assert len(server.asked) == 1


def test_any_picture_and_any_result_can_be_given_to_a_chat(home: Path) -> None:
    from matplotlib.figure import Figure
    from openai.types.chat import ChatCompletionMessageParam
    from PIL import Image
    from pydantic import TypeAdapter

    shown = Images([Media("image", "image/png", PNG)])
    figure = Figure()
    figure.subplots().plot([1, 2])
    with scripted({"choices": [{"message": {"content": "a cat"}, "finish_reason": "stop"}]}) as server:
        chat = wb.OnlineModule("m", url=server.url, skip_auth=True)
        for files in (PNG, [PNG], Image.new("RGB", (2, 2)), figure, shown, shown[0], "https://example.com/cat.png"):
            assert chat("What is this?", files=files) == "a cat"
            turns = server.last.json["messages"]
            assert [p["type"] for p in turns[-1]["content"]] == ["text", "image_url"]
            assert read_through(TypeAdapter(list[ChatCompletionMessageParam]).validate_python(turns)) == turns
        chat(shown)
        assert [p["type"] for p in server.last.json["messages"][-1]["content"]] == ["image_url"]


# ---- tasks


class Task:
    """A vendor's task: pending twice, then done; it remembers that it was cancelled."""

    def __init__(self, states: list[str]) -> None:
        self.states, self.cancelled, self.polled = states, threading.Event(), threading.Event()

    def __call__(self, asked: Asked) -> Reply:
        host = f"http://{asked.headers['host']}"
        if asked.path.endswith("/cancel"):
            self.cancelled.set()
            return Reply({"request_id": "r"})
        if asked.path == "/a.png":
            return Reply(body=PNG, mime="image/png")
        if asked.method == "GET":
            self.polled.set()
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        output = {"task_id": "t1", "task_status": state, "results": [{"url": f"{host}/a.png"}], "code": "X", "message": "it went wrong"}
        return Reply({"request_id": "r1", "output": output})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are asked for without waiting in between."""
    from workbench.dialects import tasks

    monkeypatch.setattr(tasks.follow, "__defaults__", (0.01,))


def test_a_task_is_waited_for_and_its_picture_fetched(home: Path, quick: None) -> None:
    with scripted(Task(["PENDING", "RUNNING", "SUCCEEDED"])) as server:
        m = wb.OnlineMultiModalModule("qwen", "wanx2.1-t2i-turbo", "sd", server.url, api_key="sk-marked-1234", options={"form": "dashscope_task"})
        drawn = m("a cat")
        assert drawn[0].data == PNG
        assert [a.path for a in server.asked[1:]] == ["/v1/tasks/t1", "/v1/tasks/t1", "/a.png"]
        assert [("authorization" in a.headers) for a in server.asked] == [True, True, True, False]
        assert server.asked[0].headers["x-dashscope-async"] == "enable"


def test_a_task_that_fails_says_why(home: Path, quick: None) -> None:
    with scripted(Task(["PENDING", "FAILED"])) as server, pytest.raises(errors.EndpointError, match="it went wrong") as caught:
        module("sd", server.url, options={"form": "dashscope_task"})("a cat")
    assert caught.value.model == "m"


def test_a_task_that_takes_too_long_is_ended_at_the_vendor(home: Path, quick: None) -> None:
    task = Task(["PENDING", "RUNNING"])
    with scripted(task) as server:
        m = module("sd", server.url, options={"form": "dashscope_task"}, timeout=Timeouts(total=0.5))
        with pytest.raises(errors.EndpointTimeout):
            m("a cat")
        assert task.cancelled.wait(10)


def test_stopping_a_cell_ends_the_task_at_the_vendor(home: Path, quick: None) -> None:
    task, main = Task(["PENDING", "RUNNING"]), threading.get_ident()

    def interrupt() -> None:
        task.polled.wait(10)
        signal.pthread_kill(main, signal.SIGINT)

    with scripted(task) as server:
        m = module("sd", server.url, options={"form": "dashscope_task"})
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            m("a cat")
        assert task.cancelled.wait(10)


def test_cancelling_an_awaited_call_ends_the_task_at_the_vendor(home: Path, quick: None) -> None:
    task = Task(["PENDING", "RUNNING"])

    async def cancelled(m: Any) -> None:
        asked = asyncio.ensure_future(m.acall("a cat"))
        await asyncio.to_thread(task.polled.wait, 10)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    with scripted(task) as server:
        asyncio.run(cancelled(module("sd", server.url, options={"form": "dashscope_task"})))
        assert task.cancelled.wait(10)


def test_a_wait_says_how_far_it_is_where_somebody_looks_on(home: Path, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.modules import waiting
    from workbench.runtime.work import front_end

    shown: list[str] = []
    monkeypatch.setattr(waiting, "QUIET", 0.0)
    monkeypatch.setattr(waiting, "_clock", SimpleNamespace(watch=lambda call: None, forget=lambda call: None))
    monkeypatch.setattr(front_end.StatusLine, "show", lambda self, text: shown.append(text))
    with scripted(Task(["PENDING", "RUNNING", "SUCCEEDED"])) as server:
        module("sd", server.url, options={"form": "dashscope_task"})("a cat")
    assert [s.split(" · ")[1] for s in shown] == ["pending", "running"]


# ---- what is refused


def test_a_type_has_to_be_named_or_told_by_the_model(home: Path) -> None:
    with pytest.raises(errors.ArgumentError, match="needs to know"):
        wb.OnlineMultiModalModule("qwen", api_key="k")
    with pytest.raises(errors.ArgumentError, match="none of its types"):
        wb.OnlineMultiModalModule("qwen", type="embed", api_key="k")
    with pytest.raises(errors.ArgumentError, match="'voice'"):
        wb.OnlineMultiModalModule("openai", type="tts", api_key="k", voise="x")
    m = wb.OnlineMultiModalModule("glm", function="text2image", api_key="k")
    assert (m.type, m.model, m.series) == ("SD", "glm-image", "glm")
