"""Tool calls by engines without a GPU: a tiny model that was taught to make them, in each of them. `test_vllm_real` has vLLM's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workbench as wb

from ..support.tiny_models import tiny

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.mark.parametrize("engine", ["llama_cpp", "transformers"])
def test_tools_are_called_and_their_answers_are_read(engine: str, home: Path) -> None:
    m = wb.TrainableModule(str(tiny("chat"))).deploy_method(engine).start()
    answer = m("What is the weather in Tokyo?", tools=[WEATHER])
    assert answer == ""
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Tokyo"})
    streamed = list(m.stream("What is the weather in Rome?", tools=[WEATHER]))
    assert "Rome" in "".join(p for p in streamed if p.tag == "tool")
    assert m("Hello!") == "Hello! I am a tiny model."
    m.stop()
