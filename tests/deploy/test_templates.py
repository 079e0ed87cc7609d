"""Chat templates by name against the formats that their makers publish; templates that are refused; default parameters as arguments."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.core.options import Option
from workbench.core.prompting import PromptRequest
from workbench.deploy import default_parameters
from workbench.deploy.named_templates import NAMED
from workbench.errors import ArgumentError
from workbench.runtime.inspecting import rendering, template_checks

TALK = (
    {"role": "system", "content": "SYS"},
    {"role": "user", "content": "U1"},
    {"role": "assistant", "content": "A1"},
    {"role": "user", "content": "U2"},
)
PUBLISHED = {  # as the pages that `named_templates` names write them
    "alpaca": "SYS\n\n### Instruction:\nU1\n\n### Response:\nA1</s>\n\n### Instruction:\nU2\n\n### Response:\n",
    "chatml": "<|im_start|>system\nSYS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
    "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\n",
    "deepseek": "<s>SYS<｜User｜>U1<｜Assistant｜>A1<｜end▁of▁sentence｜><｜User｜>U2<｜Assistant｜>",
    "gemma": "<s><start_of_turn>user\nSYS\n\nU1<end_of_turn>\n<start_of_turn>model\nA1<end_of_turn>\n"
    "<start_of_turn>user\nU2<end_of_turn>\n<start_of_turn>model\n",
    "glm4": "[gMASK]<sop><|system|>\nSYS<|user|>\nU1<|assistant|>\nA1<|user|>\nU2<|assistant|>",
    "llama2": "<s>[INST] <<SYS>>\nSYS\n<</SYS>>\n\nU1 [/INST] A1 </s><s>[INST] U2 [/INST]",
    "llama3": "<s><|start_header_id|>system<|end_header_id|>\n\nSYS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU1<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nA1<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU2<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "mistral": "<s>[INST] SYS\n\nU1[/INST] A1</s>[INST] U2[/INST]",
    "mistral_v1": "<s> [INST] SYS\n\nU1 [/INST] A1</s> [INST] U2 [/INST]",
    "phi3": "<|system|>\nSYS<|end|>\n<|user|>\nU1<|end|>\n<|assistant|>\nA1<|end|>\n<|user|>\nU2<|end|>\n<|assistant|>\n",
    "qwen": "<|im_start|>system\nSYS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
    "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\n",
    "vicuna": "SYS USER: U1 ASSISTANT: A1</s>USER: U2 ASSISTANT:",
    "zephyr": "<|system|>\nSYS</s>\n<|user|>\nU1</s>\n<|assistant|>\nA1</s>\n<|user|>\nU2</s>\n<|assistant|>\n",
}
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}


def render(name: str, *messages: Any, tools: tuple[Any, ...] = (), **variables: Any) -> str:
    request = PromptRequest("render", messages, tools=tools, variables=variables)
    found = rendering.render(NAMED[name].text, {"bos_token": "<s>", "eos_token": "</s>"}, [request])[0]
    assert not found.error
    return found.text


@pytest.mark.parametrize("name", NAMED)
def test_a_named_template_writes_the_published_format(name: str) -> None:
    assert render(name, *TALK) == PUBLISHED[name]
    assert NAMED[name].page.startswith("https://")
    assert ("tools" in NAMED[name].text) == NAMED[name].tools


def test_the_preamble_of_alpaca_stands_where_no_system_message_does() -> None:
    assert render("alpaca", {"role": "user", "content": "U"}) == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nU\n\n### Response:\n"
    )


def test_qwen_tells_of_tools_calls_answers_and_thinking() -> None:
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "add", "arguments": '{"a": 1}'}}]}
    answers = ({"role": "tool", "content": "2"}, {"role": "tool", "content": "3"})
    said = render("qwen", {"role": "user", "content": "1+1?"}, call, *answers, tools=(ADD,), enable_thinking=False)
    head = said.partition("<tools>\n")[2].partition("\n</tools>")[0]
    assert head == '{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}'
    assert said.endswith(
        '<|im_start|>assistant\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call><|im_end|>\n'
        "<|im_start|>user\n<tool_response>\n2\n</tool_response>\n<tool_response>\n3\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert said.startswith("<|im_start|>system\n# Tools\n\nYou may call one or more functions")
    thought = {"role": "assistant", "content": "4", "reasoning_content": " 2+2 "}
    assert render("qwen", {"role": "user", "content": "x"}, thought, add_generation_prompt=False).endswith(
        "<|im_start|>assistant\n<think>\n2+2\n</think>\n\n4<|im_end|>\n"
    )


# ---- what people give


def chosen(template: Any) -> wb.TrainableModule:
    return wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, chat_template=template)


def test_a_file_a_text_and_a_name_become_one_kept_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "my own.jinja"
    file.write_text(NAMED["phi3"].text)
    for given in ("phi3", "PHI3", file, str(file), NAMED["phi3"].text):
        assert chosen(given).render("Hi") == "<|user|>\nHi<|end|>\n<|assistant|>\n"
    kept = sorted(p.name for p in (home / "templates").iterdir())
    assert [k.partition("-")[0] for k in kept] == ["my_own", "own", "phi3"]
    assert len({k.rpartition("-")[2] for k in kept}) == 1
    assert chosen(None).render("Hi").startswith("<|im_start|>user")


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("chatlm", "no chat template 'chatlm'.*'chatml' is the nearest"),
        ("/nowhere/x.jinja", "no chat template.*is no file"),
        (7, "cannot be a int"),
        ("a\nb {% for %}", r"cannot be read \(line 2\)"),
        ("{{ 'always the same' }}", "leaves out what the user says"),
        ("{{ messages[0].nothing.more }}", r"fails for a plain question \(line 1\)"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "does not come to an end|did not come to an end"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_where_it_is_written(home: Path, template: Any, what: str) -> None:
    with pytest.raises(ArgumentError, match=f"(?s){what}"):
        chosen(template)


def test_an_empty_file_and_one_of_an_options_values_are_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jinja").write_text(" \n")
    with pytest.raises(ArgumentError, match="empty"):
        chosen(tmp_path / "empty.jinja")
    with pytest.raises(ArgumentError, match="is the nearest name"):
        chosen(Option(["chatml", "lama3"]))


def test_what_a_template_cannot_do_is_told_and_it_is_taken(home: Path) -> None:
    no_system = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('Only two roles') }}{% endif %}{{ m.content }}{% endfor %}"
    with pytest.warns(UserWarning, match=r"takes no system message \(Only two roles\)"):
        chosen(no_system)
    with pytest.warns(UserWarning, match="leaves out earlier turns"):
        chosen("{{ messages[-1].content }}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in NAMED:
            assert template_checks.checked(NAMED[name].text, name) == ()
            chosen(name)


# ---- default parameters


def test_defaults_become_each_engines_own_arguments() -> None:
    given = {
        "temp": 0.5,
        "max_new_tokens": 7,
        "top_k": 3.0,
        "repeat_penalty": 1.1,
        "enable_thinking": False,
        "chat_template_kwargs": {"x": 1},
        "seed": None,
    }
    llama = default_parameters.for_llama_cpp(default_parameters.checked("llama_cpp", given))
    told = {"x": 1, "enable_thinking": False}
    assert llama == {"temp": 0.5, "n_predict": 7, "top_k": 3, "penalty_repeat": 1.1, "default_template_kwargs": told}
    vllm = default_parameters.for_vllm(default_parameters.checked("vllm", {**given, "seed": 4}))
    config = {"temperature": 0.5, "max_new_tokens": 7, "top_k": 3, "repetition_penalty": 1.1}
    assert vllm == {"override_generation_config": config, "default_chat_template_kwargs": told, "seed": 4}
    tf = default_parameters.checked("transformers", given)
    assert default_parameters.for_transformers(tf) == {"temperature": 0.5, "top_k": 3, "repetition_penalty": 1.1, "do_sample": True}
    assert default_parameters.for_transformers({"temperature": 0}) == {"do_sample": False}
    assert default_parameters.for_transformers({"repetition_penalty": 1.2}) == {"repetition_penalty": 1.2}


@pytest.mark.parametrize(
    ("defaults", "what"),
    [
        ({"temprature": 1}, "'temperature' is the nearest"),
        ({"stop": ["x"]}, "cannot be given stop for every client.*set_default_parameters"),
        ({"max_tokens": 0}, "max_tokens cannot be 0"),
        ({"max_tokens": 2.5}, "a whole number"),
        ({"temperature": "hot"}, "cannot be 'hot'"),
        ({"temperature": True}, "cannot be True"),
        ({"max_tokens": 5, "max_new_tokens": 6}, "twice"),
        ({"enable_thinking": "no"}, "True or False"),
        (7, "generation parameters"),
    ],
)
def test_defaults_that_mean_nothing_are_refused_where_they_are_written(home: Path, defaults: Any, what: str) -> None:
    with pytest.raises(ArgumentError, match=f"(?s){what}"):
        wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, defaults=defaults)


def test_an_engine_that_cannot_be_given_defaults_says_what_to_do_instead() -> None:
    with pytest.raises(ArgumentError, match=r"(?s)typical_p.*set_default_parameters"):
        default_parameters.checked("vllm", {"typical_p": 0.5})
    with pytest.raises(ArgumentError, match="lightllm"):
        default_parameters.checked("lightllm", {"temperature": 0.5})


def test_what_a_model_says_of_itself_is_read_as_its_engine_reads_it() -> None:
    sampled = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "max_new_tokens": 160}
    assert default_parameters.of_model("llama_cpp", sampled) == {"temperature": 0.6, "top_k": 50, "top_p": 0.95, "min_p": 0.0}
    assert default_parameters.of_model("transformers", {"do_sample": False}) == {"temperature": 0.0, "max_tokens": 1024}
    assert default_parameters.of_model("vllm", sampled) == {"temperature": 0.6, "top_p": 0.95, "max_tokens": 160}
    assert default_parameters.of_model("sglang", sampled) == {}
