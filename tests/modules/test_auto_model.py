"""`AutoModel`: which of all possibilities is taken, why, and what a config map may say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_http import Scripted

import workbench as wb
from workbench.errors import ArgumentError, AuthenticationFailed, DataError, ModelNotFound
from workbench.providers import catalog
from workbench.runtime.secrets import keys


@pytest.fixture(autouse=True)
def no_keys(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for provider in catalog.every():
        for part in provider.key_variables:
            for name in keys.variables(provider, part):
                monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted(lambda asked: None)  # type: ignore[arg-type,return-value]  # only its address is used
    yield server
    server.close()


def config(text: str) -> str:
    path = Path("models.yaml")
    path.write_text(text)
    return str(path)


def kind(made: Any) -> str:
    return type(made).__name__


def taken(choice: Any) -> str:
    (step,) = [s for s in choice.steps if s.taken]
    return str(step.what)


def test_a_vendors_key_makes_it_online_and_without_one_it_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(UserWarning, match="because DASHSCOPE_API_KEY is not set"):
        assert kind(wb.AutoModel("qwen3-32b")) == "TrainableModule"
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    made = wb.AutoModel("qwen3-32b", stream=True)
    assert (kind(made), made.source, made.model, bool(made.stream)) == ("OnlineChatModule", "qwen", "qwen3-32b", True)


def test_local_can_be_forced_and_a_source_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    assert kind(wb.AutoModel("qwen3-32b", source="local")) == "TrainableModule"
    assert wb.AutoModel("any-name", source="qwen").model == "any-name"
    assert wb.AutoModel("qwen").model == "qwen-plus"
    assert kind(wb.AutoModel(source="qwen", type="embed")) == "OnlineEmbeddingModule"
    assert wb.AutoModel(base_model="qwen-max").model == "qwen-max"
    with pytest.raises(AuthenticationFailed, match="openai"):
        wb.AutoModel("x", source="openai")


def test_a_framework_is_the_older_form() -> None:
    assert wb.AutoModel("pocket", framework="llama_cpp")._methods["deploy"].name == "llama_cpp"


def test_a_source_as_the_model_and_another_as_the_source_contradict() -> None:
    with pytest.raises(ValueError, match="another's"):
        wb.AutoModel("qwen", source="openai")


def test_without_model_and_key_the_error_says_what_to_write() -> None:
    with pytest.raises(AuthenticationFailed, match="`model` is not provided in AutoModel, and"):
        wb.AutoModel()


def test_the_shipped_model_is_local_whatever_keys_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_DEFAULT_SOURCE", "qwen")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "k")
    assert kind(wb.AutoModel("pocket")) == "TrainableModule"
    assert wb.AutoModel("nobodys-model").source == "qwen"
    assert wb.AutoModel().source == "qwen"


MAP = """
big:
  - id: a
    source: qwen
    name: qwen-max
    api_key: ${MY_KEY}
    stream: true
  - id: b
    url: http://127.0.0.1:9/v1
    skip_auth: true
    name: served-name
  - id: c
    source: local
    name: pocket
    target_path: mine
small:
  framework: llama_cpp
  name: pocket
  deploy_config: {n_ctx: 2048}
"""


def test_a_config_map_names_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret-in-map")
    path = config(MAP)
    a, b, c = (wb.AutoModel("big", config=path, config_id=id) for id in "abc")
    assert (a.source, a.model, bool(a.stream)) == ("qwen", "qwen-max", True)
    assert str(keys.credentials_of(a.endpoint)["key"]) == "secret-in-map"
    assert (b.base_url, b.model) == ("http://127.0.0.1:9/v1", "served-name")
    assert (kind(c), c.base_model, c.target_path) == ("TrainableModule", "pocket", "mine")
    assert wb.AutoModel("big", config=path, source="qwen").model == "qwen-max"
    assert wb.AutoModel("big", config=path, config_id="a", stream=False).stream == False  # noqa: E712  # what the user says goes before
    assert "secret-in-map" not in repr(wb.AutoModel.explain("big", config=path))


def test_the_map_may_come_from_a_variable_and_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k")
    monkeypatch.setenv("LAZYLLM_AUTO_MODEL_CONFIG_MAP_PATH", config(MAP))
    assert wb.AutoModel("big", source="qwen").model == "qwen-max"
    assert kind(wb.AutoModel("big", config=False)) == "TrainableModule"


def test_an_entry_for_this_machine_brings_engine_and_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k")
    small = wb.AutoModel("small", config=config(MAP))
    method = small._methods["deploy"]
    assert (method.name, dict(method.arguments)) == ("llama_cpp", {"n_ctx": 2048})


def test_a_wrong_argument_in_an_entry_names_the_file() -> None:
    with pytest.raises(DataError, match=r"models\.yaml:2: .*temprature"):
        wb.AutoModel("m", config=config("m:\n  source: qwen\n  api_key: k\n  temprature: 1\n"))


def test_a_server_that_answers_goes_first_and_one_that_does_not_is_skipped(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "m:\n  - {framework: vllm, url: 'URL'}\n  - {source: qwen, api_key: k, name: qwen-max}\n"
    here = wb.AutoModel.explain("m", config=config(text.replace("URL", server.url)))
    assert "this machine" in taken(here)
    away = wb.AutoModel.explain("m", config=config(text.replace("URL", "http://127.0.0.1:9/v1")))
    assert "vendor" in taken(away)
    assert "nobody answers at 127.0.0.1:9" in repr(away)
    assert wb.AutoModel("m", config="models.yaml").model == "qwen-max"
    strict = text.replace("URL", "http://127.0.0.1:9/v1").replace("framework: vllm", "framework: vllm, strict: true")
    with pytest.raises(ModelNotFound, match="nobody answers"):
        wb.AutoModel("m", config=config(strict))


def test_a_vendors_key_never_goes_to_another_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    path = config("m: {source: qwen, api_key: k-of-qwen}\n")
    monkeypatch.setenv("DEEPSEEK_API_KEY", "k-of-deepseek")
    made = wb.AutoModel("m", source="deepseek", config=path)
    assert (made.source, str(keys.credentials_of(made.endpoint)["key"])) == ("deepseek", "k-of-deepseek")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("m:\n  stream: 3\n", r"models\.yaml, line 2: stream cannot be a int"),
        ("m:\n  - source: qwen\n  - url: 3\n", r"line 3: url cannot be a int"),
        ("m:\n  api_key: [1, 2]\n", r"line 2: api_key"),
        ("m:\n  return_trace: maybe\n", r"line 2: return_trace"),
        ("m:\n  timeout: true\n", r"line 2: timeout"),
        ("m: text\n", r"line 1: The entry of 'm' has to be a mapping"),
        ("- a\n", r"line 1: The file has to be a mapping"),
        ("m: {a\n", r"is no YAML"),
        ("m:\n  api_key: ${NOT_SET_ANYWHERE}\n", r"line 2: the variable NOT_SET_ANYWHERE is not set"),
    ],
)
def test_a_faulty_map_names_file_and_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        wb.AutoModel("m", config=config(text))
    assert isinstance(error.value, DataError)


def test_a_map_or_an_id_that_is_not_there() -> None:
    with pytest.raises(ArgumentError, match="is not there"):
        wb.AutoModel("m", config="nowhere.yaml")
    with pytest.raises(ArgumentError, match="no entry 'z'"):
        wb.AutoModel("m", config=config("m: {id: a, source: qwen}\n"), config_id="z")


def test_explain_tells_what_was_skipped_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = wb.AutoModel.explain("qwen3-32b", config=config("other: {source: qwen}\n"))
    text = repr(choice)
    assert "does not list 'qwen3-32b'" in text
    assert "DASHSCOPE_API_KEY is not set" in text
    assert "→ a model on this machine" in text
    assert "<table>" in choice._repr_html_()
    assert [s.taken for s in choice.steps] == [False, False, False, True]
    failed = wb.AutoModel.explain()
    assert failed.make is None
    assert "✗" in repr(failed)
