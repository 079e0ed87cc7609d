"""The exact prompt, asked of SGLang: its form is vLLM's, but for the name of a text and what it leaves out unless it is told not to."""

from __future__ import annotations

import json

from workbench.core.prompting import Prompted, PromptRequest
from workbench.core.protocols import FollowUp
from workbench.dialects.prompt_tokens import SGLangTokens


def test_sglang_tells_the_text_with_its_special_tokens() -> None:
    codec = SGLangTokens()
    asked = codec.encode(PromptRequest("render", ({"role": "user", "content": "Hi"},), model="m"))
    assert (asked.path, asked.json["messages"]) == ("/tokenize", [{"role": "user", "content": "Hi"}])  # type: ignore[call-overload,index]
    after = codec.decode(200, {}, b'{"tokens": [1, 2], "count": 2, "max_model_len": 8}')
    assert isinstance(after, FollowUp)
    assert after.request.json == {"model": "m", "tokens": [1, 2], "skip_special_tokens": False}
    assert after.decode is not None
    assert after.decode(200, {}, json.dumps({"text": "<s>Hi"}).encode()) == Prompted("<s>Hi", (1, 2))
    codec.encode(PromptRequest("detokenize", ids=(1,)))
    assert codec.decode(200, {}, b'{"text": "<s>"}') == Prompted("<s>", (1,))
