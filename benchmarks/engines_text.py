"""Text through a deployment of ours beside the engine's own client (the ``openai`` package) and a bare httpx loop on the same server: one, four and
sixteen streams at once, each in a thread. The pocket model on llama.cpp; also on vLLM where its environment is built.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

import workbench as wb
from workbench import envs
from workbench.errors import WorkbenchError

from .ratio import Ratio, alternate, quotient

STREAMS = (1, 4, 16)
TOKENS = 200
QUESTION = "What can you do?"
ENDS = {"893": -100, "895": -100}  # the ends of the pocket model: every answer has all its tokens
ENGINES: dict[str, tuple[dict[str, Any], int]] = {
    "llama_cpp": ({"n_parallel": max(STREAMS), "n_ctx": max(STREAMS) * 512}, 9),
    "vllm": ({"max_model_len": 512, "max_num_seqs": max(STREAMS)}, 5),
}


def at_once(streams: int, one: Callable[[], int]) -> tuple[float, int]:
    """Seconds that so many streams took side by side, and the characters that came."""
    sizes: list[int] = []
    errors: list[BaseException] = []

    def read() -> None:
        try:
            sizes.append(one())
        except BaseException as e:  # it is raised below
            errors.append(e)

    threads = [threading.Thread(target=read) for _ in range(streams)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    if errors:
        raise errors[0]
    return took, sum(sizes)


def ours(model: wb.TrainableModule) -> int:
    """A stream as a user reads it."""
    return sum(len(piece) for piece in model.stream(QUESTION, max_tokens=TOKENS, temperature=0.0, logit_bias=ENDS))


def official(client: Any, name: str) -> int:
    """The same by the client that the engines' documents tell people to use."""
    asked = [{"role": "user", "content": QUESTION}]
    stream = client.chat.completions.create(model=name, messages=asked, stream=True, max_tokens=TOKENS, temperature=0.0, logit_bias=ENDS)
    return sum(len(chunk.choices[0].delta.content or "") for chunk in stream if chunk.choices)


def bare(client: httpx.Client, url: str, body: dict[str, object]) -> int:
    """The least that a Python program must do to get the same text."""
    size = 0
    with client.stream("POST", f"{url}/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                size += sum(len(choice["delta"].get("content") or "") for choice in json.loads(line[6:])["choices"])
    return size


def measure() -> Iterator[Ratio]:
    for engine, (arguments, rounds) in ENGINES.items():
        try:
            envs.check(getattr(wb.deploy, engine).environment)
        except WorkbenchError as e:
            print(f"  without {engine}: {e.what}", file=sys.stderr)
            continue
        yield from _engine(engine, arguments, rounds)


def _engine(engine: str, arguments: dict[str, Any], rounds: int) -> Iterator[Ratio]:
    import openai

    model = wb.TrainableModule("pocket").deploy_method(engine, **arguments).start()
    endpoint = model.endpoint
    key = Path(endpoint.key_file).read_text().strip()
    body: dict[str, object] = {"model": endpoint.model, "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    body |= {"max_tokens": TOKENS, "temperature": 0.0, "logit_bias": ENDS}
    limits = httpx.Limits(max_connections=None)
    with (
        httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False, limits=limits) as client,
        openai.OpenAI(base_url=endpoint.url, api_key=key, timeout=120, max_retries=3) as vendor,
    ):
        for streams in STREAMS:
            characters: list[int] = []

            def timed(one: Callable[[], int], streams: int = streams, characters: list[int] = characters) -> float:
                took, size = at_once(streams, one)
                characters.append(size)
                return size / took

            sides = [
                lambda: timed(lambda: ours(model)),
                lambda: timed(lambda: official(vendor, endpoint.model)),
                lambda: timed(lambda: bare(client, endpoint.url, body)),
            ]
            for side in sides:
                side()  # the first calls warm all up
            us, them, least = (statistics.median(v) for v in alternate(rounds, *sides))
            assert len(set(characters)) == 1, f"all must read the same text: {sorted(set(characters))}"
            what = f"text of {streams} stream{'s' if streams > 1 else ''} from {engine}"
            yield quotient(what, us, them, "characters/s", "the openai client", at_least=0.9)
            yield quotient("…", us, least, "characters/s", "a bare httpx loop", at_least=0.8)
    model.stop()
