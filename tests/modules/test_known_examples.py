"""What people who come from elsewhere type: the published examples of these names with the import changed, and their results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as lazyllm
from workbench import deploy, finetune
from workbench.errors import ArgumentError


def reply(text: Any) -> str:
    return f"reply for {text}, and parameters is {{'do_sample': False, 'temperature': 0.1}}"


def outputs(module: Any) -> list[Any]:
    return [row.outputs[0].value for row in module.eval_result.rows]


def test_a_module_in_a_module() -> None:
    class Module(lazyllm.module.ModuleBase):
        pass

    class Module2(lazyllm.module.ModuleBase):
        def __init__(self) -> None:
            super(__class__, self).__init__()  # type: ignore[name-defined]  # noqa: UP008  # as it is published
            self.m = Module()

    m = Module2()
    assert [type(s) for s in m.submodules] == [Module]
    m.m3 = Module()  # type: ignore[attr-defined]
    assert len(m.submodules) == 2


def test_forward_and_eval(home: Path) -> None:
    class MyModule(lazyllm.module.ModuleBase):
        def forward(self, input: Any) -> str:
            return "reply for input"

    m = MyModule()
    m.evalset([1, 2, 3])
    assert outputs(m.eval()) == ["reply for input"] * 3


def test_tasks_of_a_module(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class MyModule(lazyllm.module.ModuleBase):
        def _get_train_tasks(self) -> Any:
            return lazyllm.pipeline(lambda: 1, lambda x: print(x))

        def _get_deploy_tasks(self) -> Any:
            return lazyllm.pipeline(lambda: 2, lambda x: print(x))

    MyModule().update()
    MyModule().start()
    assert capsys.readouterr().out.split() == ["1", "2", "2"]


def test_start_and_restart_of_the_dummy(home: Path) -> None:
    m = lazyllm.TrainableModule().deploy_method(lazyllm.deploy.dummy).prompt(None)
    m.start()
    assert m(1) == reply(1)
    m.restart()
    assert m(1) == reply(1)


def test_update_of_the_dummy_trains_deploys_and_evaluates(home: Path) -> None:
    m = (
        lazyllm.module.TrainableModule()
        .finetune_method(lazyllm.finetune.dummy)
        .trainset("")
        .deploy_method(lazyllm.deploy.dummy)
        .mode("finetune")
        .prompt(None)
    )
    m.evalset([1, 2, 3])
    m.update()
    assert outputs(m) == [reply(n) for n in (1, 2, 3)]
    m = lazyllm.module.TrainableModule().deploy_method(deploy.dummy).mode("finetune")
    m.evalset([1, 2, 3])
    m.update()
    assert outputs(m) == [reply(n) for n in (1, 2, 3)]


def test_a_dry_run_needs_neither_rows_nor_a_model_nor_a_deployment(home: Path) -> None:
    m = lazyllm.module.TrainableModule().finetune_method(finetune.dummy).trainset("/file/to/path").deploy_method(None).mode("finetune")
    assert m.update().status("finetune") == "succeeded"
    m = lazyllm.module.TrainableModule().finetune_method(finetune.dummy).deploy_method(None).mode("finetune")
    assert m.update().status("finetune") == "succeeded"
    assert m.get_all_models() == ([], [])


def test_a_subclass_with_its_own_forward() -> None:
    class MyModule(lazyllm.TrainableModule):
        def forward(self, __input: Any, **kw: Any) -> str:
            return f"processed: {__input}"

    assert MyModule()("Hello") == "processed: Hello"


@pytest.fixture
def model(home: Path) -> lazyllm.TrainableModule:
    return lazyllm.TrainableModule("pocket", target_path="my_model").start()


def test_the_usage_guide_with_the_model_that_ships(model: lazyllm.TrainableModule, capsys: pytest.CaptureFixture[str]) -> None:
    assert model("hello").startswith("Hello!")

    streamed = lazyllm.StreamCallHelper(model.share(stream=True))
    assert len([msg for msg in streamed("hello")]) > 5  # noqa: C416  # as it is published

    ppl = lazyllm.StreamCallHelper(lazyllm.pipeline(model.share(stream=True)))
    assert "".join(ppl("hello")) == ppl.result == model("hello")

    capsys.readouterr()
    stream_config = {"color": "green", "prefix": "AI: ", "prefix_color": "blue", "suffix": "End\n", "suffix_color": "red"}
    said = model.share(stream=stream_config)("hello")
    assert capsys.readouterr().out == f"AI: {said}End\n"

    history = [["User", "Hello"], ["Assistant", "Hello! How can I help you?"]]
    turns = model.prompt("Continue the conversation", history=history).request("Hi").messages
    assert [m.content for m in turns] == ["Continue the conversation", "Hello", "Hello! How can I help you?", "Hi"]

    model.prompt({"system": "You are a professional {system_role}", "user": "{user_input}"})
    turns = model.request({"system_role": "Programming Assistant", "user_input": "Program"}).messages
    assert [(m.role, m.content) for m in turns] == [("system", "You are a professional Programming Assistant"), ("user", "Program")]
    model = model.prompt(None)

    def my_formatter(text: str) -> str:
        return f"Processed result: {text.strip()}"

    assert model.share(format=my_formatter)("hello").startswith("Processed result: Hello!")
    chained = lazyllm.formatter.JsonFormatter() | lazyllm.formatter.StrFormatter()
    writes = lazyllm.TrainableModule().deploy_method(lazyllm.deploy.dummy, text='Here: [{"a": 1}, {"a": 2}]').start()
    assert writes.share().formatter(chained)("hello") == '[{"a": 1}, {"a": 2}]'
    assert writes.formatter(lazyllm.formatter.JsonFormatter("[:][a]"))("hello") == [1, 2]
    chat_model = model.share(prompt="You are a chatbot")
    shared = model.share(prompt="New prompt", format=lazyllm.formatter.JsonFormatter(), stream={"color": "blue"})
    assert chat_model.deployment == shared.deployment == model.deployment


def test_what_is_deployed_speaks_the_form_of_openai(home: Path) -> None:
    model = lazyllm.TrainableModule("m").deploy_method(lazyllm.deploy.dummy, openai_api=True, text="Hello!").start()
    assert model.endpoint.url.endswith("/v1")
    openai_model = lazyllm.TrainableModule().deploy_method(lazyllm.deploy.vllm, url=f"{model.endpoint.url}/")
    assert openai_model("Hello") == "Hello!"


def test_connecting_to_what_runs_already(model: lazyllm.TrainableModule) -> None:
    for end in ("/v1/", "/v1", "/v1/chat/completions", "/generate", "/generate/"):
        url = model.endpoint.url.removesuffix("/v1") + end
        assert lazyllm.TrainableModule().deploy_method(lazyllm.deploy.vllm, url=url)("Hello").startswith("Hello!")
    with pytest.raises(ArgumentError, match="cannot be set there"):
        lazyllm.TrainableModule().deploy_method(lazyllm.deploy.vllm, url=url, tensor_parallel_size=2)
