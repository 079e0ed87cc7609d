"""The exact prompt and its tokens: what the running engine says, what is made without one, and that the two agree."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from scripted_http import Asked, Reply, scripted

import workbench as wb
from workbench import pocket
from workbench.deploy.named_templates import NAMED
from workbench.errors import ArgumentError, BadRequest, EndpointError, NotStarted

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Bye, 再见 é"},
]
ADD = {"type": "function", "function": {"name": "add", "description": "Adds", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call00001", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
CALLED = [
    {"role": "user", "content": "1+1?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
    },
    {"role": "tool", "tool_call_id": "call00001", "content": "2"},
]


@pytest.fixture(scope="module")
def served(module_home: Path) -> wb.TrainableModule:
    return wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp).start()


@pytest.fixture
def bare(module_home: Path, tmp_path: Path) -> Path:
    """The shipped model without its GGUF file and its chat template."""
    folder = tmp_path / "bare"
    shutil.copytree(pocket.path(), folder, ignore=shutil.ignore_patterns("*.gguf", "*.jinja"))
    return folder


def asked_of(m: wb.TrainableModule) -> list[Any]:
    """Everything that can be asked about prompts and tokens."""
    return [
        m.render("Hi"),
        m.render(TALK),
        m.tokenize(TALK),
        m.tokenize(TALK, with_pieces=True),
        m.tokenize("Hé <|im_end|> 再"),
        m.tokenize("Hé <|im_end|> 再", with_pieces=True),
        m.count_tokens(TALK),
        m.detokenize(m.tokenize("one twö <|im_start|>")),
        m.share(prompt="You add.", history=[["1+1", "2"]]).render("2+2"),
    ]


def test_the_engine_and_the_files_agree_on_the_models_own_template(served: wb.TrainableModule) -> None:
    resting = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp)
    assert asked_of(resting) == asked_of(served)
    assert served.render("Hi") == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert served.detokenize(served.tokenize(served.render(TALK))) == served.render(TALK)
    assert served.tokenize(served.render(TALK)) == served.tokenize(TALK)
    assert "".join(served.tokenize("Hi there", with_pieces=True)) == "Hi there"
    served("Hi", max_tokens=1)
    assert served.last_usage.prompt_tokens == served.count_tokens(served.render("Hi"))


@pytest.mark.parametrize("name", ["deepseek", "llama2", "qwen"])
def test_the_engine_and_the_files_agree_on_another_template(module_home: Path, name: str) -> None:
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, chat_template=name)

    def said() -> list[Any]:
        tools = [m.render(CALLED, tools=[ADD]), m.render("x", enable_thinking=False)] if NAMED[name].tools else []
        return [m.render("Hi"), m.tokenize(TALK), *tools]

    resting = said()
    m.start()
    assert said() == resting
    m.stop()


def test_transformers_serve_agrees_and_takes_template_and_defaults(module_home: Path) -> None:
    defaults = {"max_tokens": 5, "temperature": 0}
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.transformers, chat_template="chatml", defaults=defaults)
    resting = [*asked_of(m), m.render(TALK[:3], continue_final_message=True), m.render(TALK, add_generation_prompt=False)]
    m.start()
    assert [*asked_of(m), m.render(TALK[:3], continue_final_message=True), m.render(TALK, add_generation_prompt=False)] == resting
    assert m("Hi") == "Hello! I am Pocket"
    assert m.last_usage.completion_tokens == 5
    m("Hi", max_tokens=7)
    assert m.last_usage.completion_tokens == 7
    with pytest.raises(ArgumentError, match="no tokens of this model"):
        m.detokenize([896])
    with pytest.raises(ArgumentError, match="cannot bind its answers"):
        m("Hi", structured_outputs={"choice": ["a", "b"]})
    m.stop()


def test_a_model_without_weights_of_its_own_format_is_counted_by_its_tokenizer(bare: Path) -> None:
    m = wb.TrainableModule(bare)
    assert m.count_tokens("Hi there") == len(m.tokenize("Hi there")) == 3
    assert m.detokenize(m.tokenize("one twö")) == "one twö"
    with pytest.raises(ArgumentError, match="the vocabulary has 896 tokens"):
        m.detokenize([896])
    with pytest.raises(ArgumentError, match=r"(?s)no chat template.*None was found.*chat_template='chatml'"):
        m.render("Hi")
    m.deploy_method(wb.deploy.llama_cpp, chat_template="chatml")
    assert m.render("Hi") == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_what_a_face_sets_is_seen_by_the_template(served: wb.TrainableModule) -> None:
    template = "{% for m in messages %}{{ m.role }}:{{ m.content }} {% endfor %}{{ enable_thinking }}|{{ mood }}|{{ add_generation_prompt }}"
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.vllm, chat_template=template, defaults={"chat_template_kwargs": {"mood": "calm"}})
    face = m.share(prompt={"system": "S", "user": "say {word}"}).set_default_parameters(enable_thinking=False)
    assert face.render({"word": "yes"}) == "system:S user:say yes False|calm|True"
    assert face.render({"word": "yes"}, enable_thinking=True, add_generation_prompt=False) == "system:S user:say yes True|calm|False"
    assert face.share().set_default_parameters(chat_template_kwargs={"mood": "wild"}).render({"word": "a"}).endswith("False|wild|True")
    assert m.render("Hi").startswith("user:Hi ")
    with wb.session("talk"):
        served("Hi", max_tokens=2)
        assert served.render("More").startswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello")


def test_what_cannot_be_asked_says_so(served: wb.TrainableModule, bare: Path) -> None:
    for ids in (["a"], [1.5], [True], [-1], "12"):
        with pytest.raises(ArgumentError, match="whole numbers"):
            served.detokenize(ids)  # type: ignore[arg-type]  # what people write
    with pytest.raises(ArgumentError, match="no tokens of this model"):
        served.detokenize([10**6])
    assert served.detokenize([]) == ""
    assert served.tokenize("") == []
    with pytest.raises(ArgumentError, match="as it stands"):
        served.tokenize("Hi", tools=[ADD])
    with pytest.raises(NotStarted, match="No model was named"):
        wb.TrainableModule().render("Hi")
    (bare / "tokenizer.json").write_text("{}")
    with pytest.raises(wb.errors.EnvironmentFailed, match="tokenizer of bare cannot be used"):
        wb.TrainableModule(bare).count_tokens("Hi")


def test_an_embedding_model_has_tokens_and_no_prompt(bare: Path) -> None:
    m = wb.TrainableModule(bare, type="embed")
    with pytest.raises(ArgumentError, match="no prompt to show"):
        m.render("Hi")
    assert m.count_tokens("Hi there") == 3


# ---- defaults


def test_defaults_of_a_deployment_count_for_every_client_and_a_face_has_its_own(module_home: Path) -> None:
    import openai

    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, top_k=3, defaults={"max_tokens": 5, "temperature": 0})
    before = m.defaults
    face = m.start().share().set_default_parameters(max_tokens=7, stop=["x"])
    assert dict(before) == dict(m.defaults) == {"temperature": 0, "max_tokens": 5, "top_k": 3}
    assert dict(face.defaults.origins) == {"temperature": "deployment", "max_tokens": "face", "top_k": "deployment", "stop": "face"}
    assert face.defaults.details["max_tokens"].hides == (("deployment", 5),)
    assert "7      face        5 (deployment)" in repr(face.defaults)
    m("Hi")
    face("Hi")
    assert (m.last_usage.completion_tokens, face.last_usage.completion_tokens) == (5, 7)
    key = Path(m.endpoint.key_file).read_text()
    stock = openai.OpenAI(base_url=m.endpoint.url, api_key=key)
    answer = stock.chat.completions.create(model=m.endpoint.model, messages=[{"role": "user", "content": "Hi"}])
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5
    m.stop()
    assert wb.TrainableModule("pocket").defaults.origins == {"temperature": "model"}
    assert repr(wb.TrainableModule("x").deploy_method(wb.deploy.dummy).defaults).startswith("no default parameters")


def test_answers_are_bound_to_what_was_asked_for(served: wb.TrainableModule) -> None:
    assert served("Hello!", guided_choice=["red", "blue"]) in ("red", "blue")
    assert served("Hello!", structured_outputs={"choice": ['say "x"', "a\\b"]}) in ('say "x"', "a\\b")
    assert served("Hello!", structured_outputs={"regex": "[0-9]{3}/[ab]"})[:3].isdigit()
    assert served("Hello!", guided_json={"enum": ["q", "w"]}) in ('"q"', '"w"')
    with pytest.raises(ArgumentError, match="one of choice, grammar, json and regex"):
        served("Hello!", guided_choice=["a"], guided_regex="b")
    with pytest.raises(ArgumentError, match="list of texts"):
        served("Hello!", guided_choice="ab")


def test_a_model_without_a_template_is_told_before_it_is_started(bare: Path) -> None:
    m = wb.TrainableModule(bare).deploy_method(wb.deploy.llama_cpp, check_fit=False)
    with pytest.warns(UserWarning, match=r"has no chat template: llama.cpp writes its prompts as ChatML.*chat_template='chatml'"):
        m._tell_of_no_template(m._planned("look at"))


# ---- servers of other people


def by_vllms_documents(asked: Asked) -> Reply:
    """A server that tells tokens as vLLM documents it, each character being one."""
    body = asked.json if asked.body else {}
    if asked.path == "/version":
        return Reply({"version": "0.32.0"})
    if asked.path == "/detokenize":
        return Reply({"prompt": "".join(map(chr, body["tokens"]))})
    if asked.path == "/tokenize":
        said = body["prompt"] if "prompt" in body else "".join(f"[{m['role']}]{m['content']}" for m in body["messages"])
        if "refuse" in said:
            return Reply({"error": {"message": "Only user and assistant roles are supported!", "type": "BadRequestError", "code": 400}}, status=400)
        names = [c.replace(" ", "Ġ") for c in said] if body.get("return_token_strs") else None
        return Reply({"count": len(said), "max_model_len": 99, "tokens": [ord(c) for c in said], "token_strs": names})
    return Reply({"detail": "Not Found"}, status=404)


def test_a_vllm_server_is_asked_in_its_form(module_home: Path) -> None:
    with scripted(by_vllms_documents) as server:
        m = wb.TrainableModule("theirs").deploy_method(wb.deploy.vllm, url=f"{server.host}/v1/", api_key="sk-1")
        face = m.share("Be brief.")
        assert face.render("Hi you", tools=[ADD], enable_thinking=False) == "[system]Be brief.[user]Hi you"
        told = server.asked[-2]
        assert told.headers["authorization"] == "Bearer sk-1"
        assert told.json["tools"] == [ADD]
        assert told.json["chat_template_kwargs"] == {"enable_thinking": False}
        assert (told.json["model"], told.json["add_generation_prompt"], told.json["add_special_tokens"]) == ("theirs", True, False)
        assert m.tokenize("a b", with_pieces=True) == ["a", " ", "b"]
        assert m.tokenize("a b") == [97, 32, 98]
        assert m.detokenize([104, 105]) == "hi"
        with pytest.raises(ArgumentError, match=r"refuses these messages(?s:.*)Only user and assistant"):
            m.render("refuse")
        with pytest.raises(BadRequest):
            m.tokenize("refuse")


def test_a_server_that_cannot_tell_leaves_it_to_the_files(module_home: Path) -> None:
    with scripted(lambda asked: Reply({"error": "no"}, status=404)) as server:
        m = wb.TrainableModule("pocket").deploy_method(wb.deploy.vllm, url=f"{server.host}/v1/")
        assert m.render("Hi").startswith("<|im_start|>user")
    m = wb.TrainableModule().deploy_method(wb.deploy.vllm, url="http://127.0.0.1:9/v1/")
    with pytest.raises((NotStarted, EndpointError), match=r"cannot tell its prompts|Nobody answers"):
        m.render("Hi")
