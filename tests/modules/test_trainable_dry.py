"""TrainableModule before it starts and on the dummy engine, whose echo shows what was sent."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench as wb
from workbench.errors import ArgumentError, DataError, EndpointDown, ModelNotFound, NotStarted, StreamBroken


@pytest.fixture
def echo(home: Path) -> wb.TrainableModule:
    return wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()


def said(answer: str) -> str:
    found = re.fullmatch(r"reply for (.*), and parameters is .*", answer, re.DOTALL)
    assert found is not None
    return found[1]


# ---- before the start


def test_asking_before_the_start_says_what_to_type(home: Path) -> None:
    for ask in (lambda m: m("hi"), lambda m: m.stream("hi"), lambda m: m.endpoint):
        with pytest.raises(NotStarted, match=r"start\(\)"):
            ask(wb.TrainableModule("pocket"))
    assert wb.TrainableModule("pocket").state == "idle"
    with pytest.raises(NotStarted, match=r"update\(\)"):
        wb.TrainableModule("pocket").monitor()


def test_a_model_that_is_not_there_is_said_before_anything_starts(home: Path) -> None:
    with pytest.raises(ModelNotFound, match="WORKBENCH_MODEL_PATH"):
        wb.TrainableModule("no-such-model", trust_remote_code=False).start()
    assert wb.jobs() == []


def test_builder_methods_chain_and_take_both_forms(home: Path) -> None:
    t = (
        wb.TrainableModule("pocket", "mine")
        .mode("finetune")
        .prompt("S")
        .formatter(str.upper)
        .evalset([])
        .trainset([{"instruction": "a", "output": "b"}])
    )
    assert isinstance(t.finetune_method(wb.finetune.llamafactory, num_train_epochs=1), wb.TrainableModule)
    one = t._methods["finetune"]
    assert t.finetune_method((wb.finetune.llamafactory, {"num_train_epochs": 1}))._methods["finetune"] == one
    assert t.finetune_method("llamafactory", num_train_epochs=1)._methods["finetune"] == one
    assert repr(t) == (
        "<Module type=Trainable mode=finetune basemodel=pocket target=mine name=mine deploy_type=auto stream=False return_trace=False>"
    )


@pytest.mark.parametrize(
    ("group", "method", "argument", "nearest"),
    [
        ("finetune", "llamafactory", "learning_rat", "learning_rate"),
        ("deploy", "llama_cpp", "n_ctxx", "n_ctx"),
        ("deploy", "auto", "n_paralel", "n_parallel"),
    ],
)
def test_an_unknown_argument_is_refused_at_once_with_the_nearest_name(group: str, method: str, argument: str, nearest: str) -> None:
    m = wb.TrainableModule("pocket")
    with pytest.raises(ArgumentError, match=f"'{nearest}' is the nearest"):
        getattr(m, f"{group}_method")(method, **{argument: 1})


def test_an_unknown_method_or_mode_is_refused() -> None:
    m = wb.TrainableModule("pocket")
    with pytest.raises(ArgumentError, match="llamafactory"):
        m.finetune_method("lamafactory")
    with pytest.raises(ArgumentError, match="retired"):
        m.finetune_method("collie")
    with pytest.raises(ArgumentError, match="no deploy method"):
        m.deploy_method(print)
    with pytest.raises(ArgumentError, match=r"mode\('finetune'\)"):
        m.mode("tune")  # type: ignore[arg-type]


def test_a_training_set_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="not there"):
        wb.TrainableModule("pocket").trainset(tmp_path / "nowhere.jsonl")


def test_a_mode_without_rows_is_refused_by_update(home: Path) -> None:
    with pytest.raises(ArgumentError, match="nothing to train on"):
        wb.TrainableModule("pocket", "mine").mode("finetune").update()


def test_fine_tuned_models_are_listed_and_the_newest_whole_one_is_taken(home: Path) -> None:
    t = wb.TrainableModule("pocket", "mine")
    root = wb.settings().target_root
    for name, whole in (("mine", True), ("mine-2", True), ("mine-3", False)):
        (root / name).mkdir(parents=True)
        (root / name / "config.json").write_text(json.dumps({"architectures": ["Qwen3ForCausalLM"]}))
        if whole:
            (root / name / "model.safetensors").write_bytes(b"")
    assert t.get_all_models() == ([(n, str(root / n)) for n in ("mine", "mine-2")], [("mine-3", str(root / "mine-3"))])
    assert t.finetuned_model_path == str(root / "mine-2")
    assert t.set_specific_finetuned_model("mine").finetuned_model_path == str(root / "mine")
    assert t.set_specific_finetuned_model(root / "mine-2").finetuned_model_path == str(root / "mine-2")
    with pytest.raises(ModelNotFound, match="get_all_models"):
        t.set_specific_finetuned_model("mine-3")


# ---- fine-tuning, as a dry run


ROWS = [{"instruction": f"Compute {n} + 1", "output": str(n + 1)} for n in range(10)]


@pytest.fixture
def dry(home: Path) -> wb.TrainableModule:
    t = wb.TrainableModule("pocket", "mine").finetune_method(wb.finetune.dummy, steps=6, save_steps=2).trainset(ROWS)
    return t.deploy_method(wb.deploy.dummy).mode("finetune")


def test_update_fine_tunes_then_deploys_then_evaluates(dry: wb.TrainableModule) -> None:
    dry.evalset([{"input": "a", "expected": "b"}])
    assert dry.update() is dry
    assert dry.job is not None
    assert (dry.job.state, dry.status("finetune"), dry.status()) == ("succeeded", "succeeded", "running")
    assert dry.job.metrics()["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert dry.eval_result.done == 1


def test_update_without_waiting_gives_the_job_at_once_and_wait_ends_it(dry: wb.TrainableModule) -> None:
    dry.finetune_method(wb.finetune.dummy, steps=100, seconds_per_step=0.05)
    job = dry.update(wait=False)
    assert job == dry.job
    assert job.state.active
    with pytest.raises(wb.errors.JobError, match="still being fine-tuned"):
        dry.start()
    dry.wait()
    assert job.state == "succeeded"
    assert said(dry.start()("hi")) == "hi"


def test_a_fine_tuning_that_fails_says_why_and_resume_goes_on(dry: wb.TrainableModule) -> None:
    dry.finetune_method(wb.finetune.dummy, steps=6, save_steps=2, fail_at=5)
    with pytest.raises(wb.errors.JobFailed) as error:
        dry.update()
    assert error.value.job_id == dry.job.id  # type: ignore[union-attr]
    assert error.value.log_tail
    assert dry.state == "idle"
    with pytest.raises(wb.errors.JobFailed):
        dry.resume()
    assert dry.job is not None
    assert dry.job.metrics()["step"].tolist() == [1, 2, 3, 4]


def test_a_fine_tuning_that_was_stopped_is_told_and_can_be_resumed(dry: wb.TrainableModule) -> None:
    dry.finetune_method(wb.finetune.dummy, steps=40, save_steps=2, seconds_per_step=0.05)
    job = dry.update(wait=False)
    while not job.record.step:
        time.sleep(0.05)
    dry.stop("finetune")
    with pytest.raises(wb.errors.JobFailed, match=r"resume\(\)"):
        dry.wait()
    assert job.state == "cancelled"
    dry.resume()
    assert dry.job is not None
    assert dry.job.metrics()["step"].tolist() == list(range(1, 41))


def test_an_interrupt_leaves_the_job_running_and_says_how_to_attach(dry: wb.TrainableModule, capsys: pytest.CaptureFixture[str]) -> None:
    dry.finetune_method(wb.finetune.dummy, steps=100, seconds_per_step=0.05)
    job = dry.update(wait=False)
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        dry.wait()
    assert job.state.active
    assert f"wb.job('{job.id}').monitor()" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "part"),
    [([{"instruction": "a"}], "output"), ([], "no rows"), ([{"instruction": "a", "output": "b"}, 3], "a number"), (list, "no rows")],
)
def test_rows_that_cannot_be_trained_on_are_refused_before_anything_starts(dry: wb.TrainableModule, rows: Any, part: str) -> None:
    with pytest.raises(DataError, match=part):
        dry.trainset(rows).update()
    assert wb.jobs() == []


def test_of_two_modules_in_a_tree_none_trains_when_one_of_them_cannot(dry: wb.TrainableModule) -> None:
    class Two(wb.ModuleBase):
        def __init__(self) -> None:
            super().__init__()
            self.good, self.bad = dry, wb.TrainableModule("pocket", "other").finetune_method("dummy").trainset([{}])

    both = Two()
    with pytest.raises(DataError):
        both.update()
    assert wb.jobs() == []
    both.bad.trainset(ROWS)
    assert [j.name for j in both.update(wait=False)] == ["mine", "other"]
    both.wait()
    assert [j.state for j in wb.jobs()] == ["succeeded", "succeeded"]


# ---- calls


def test_texts_messages_slots_and_history_reach_the_model(echo: wb.TrainableModule) -> None:
    assert said(echo("hi")) == "hi"
    assert said(echo([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}])) == "c"
    assert said(echo.share(prompt={"user": "{x} in {y}"})({"x": "a", "y": "b"})) == "a in b"
    assert said(echo("now", llm_chat_history=[["a", "b"]])) == "now"
    assert [m.content for m in echo.request("now", [["a", "b"]]).messages] == ["a", "b", "now"]


def test_parameters_are_sent_and_a_misspelt_one_is_refused(echo: wb.TrainableModule) -> None:
    assert "'temperature': 0.5" in echo("hi", temperature=0.5)
    assert "'mirostat_lr': 1" in echo("hi", extra_body={"mirostat_lr": 1})
    echo.set_default_parameters(temperature=0.25, top_k=3)
    assert "'temperature': 0.25" in echo("hi")
    assert "'temperature': 1" in echo("hi", temperature=1)
    assert "top_k" not in echo.set_default_parameters(top_k=None)("hi")
    for call in (lambda: echo("hi", temprature=1), lambda: echo.set_default_parameters(temprature=1)):
        with pytest.raises(ArgumentError, match="'temperature' is the nearest"):
            call()


def test_stream_true_prints_the_pieces_and_returns_the_text(
    echo: wb.TrainableModule, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    capsys.readouterr()
    answer = echo("hi", stream=True)
    assert capsys.readouterr().out == answer + "\n"
    echo.share(stream={"prefix": "echo: ", "color": "green"})("hi")
    out = capsys.readouterr().out
    assert out.startswith("echo: \x1b[32mrepl\x1b[0m")
    echo("hi")
    assert capsys.readouterr().out == ""
    with pytest.raises(ArgumentError, match="'color' is the nearest"):
        echo.share(stream={"colour": "green"})


def test_a_stream_gives_pieces_and_then_everything(echo: wb.TrainableModule) -> None:
    stream = echo.stream("hi")
    pieces = list(stream)
    assert len(pieces) > 3
    assert "".join(pieces) == stream.text == stream.join().text
    assert stream.usage.completion_tokens > 0


def test_async_calls_and_streams(echo: wb.TrainableModule) -> None:
    async def both() -> tuple[list[str], Any]:
        return [p async for p in echo.astream("a")], await echo.acall("b")

    pieces, completion = asyncio.run(both())
    assert said("".join(pieces)) == "a"
    assert said(completion.text) == "b"


def test_the_helper_streams_a_module_and_only_the_streaming_ones_inside_another(echo: wb.TrainableModule) -> None:
    call = wb.StreamCallHelper(echo)("hi")
    pieces = list(call)
    assert len(pieces) > 3
    assert "".join(pieces) == call.result

    class Two(wb.ModuleBase):
        def __init__(self) -> None:
            super().__init__()
            self.quiet, self.loud = echo.share(), echo.share(stream=True)

        def forward(self, text: str) -> str:
            return str(self.quiet(text)) + str(self.loud(text))

    helper = wb.StreamCallHelper(Two())
    assert said("".join(helper("hi"))) == "hi"
    assert len(helper.result) == 2 * len(call.result)


def test_formatters_chain_and_leave_the_module_as_it_was(echo: wb.TrainableModule) -> None:
    shouting = echo | str.upper | (lambda t: t.split()[0])
    assert shouting("hi") == "REPLY"
    assert (shouting | len)("hi") == 5
    assert said(echo("hi")) == "hi"
    assert asyncio.run(shouting.acall("hi")) == "REPLY"
    with pytest.raises(TypeError):
        echo | 3  # type: ignore[operator]


def test_faces_share_the_deployment_and_count_their_own_tokens(echo: wb.TrainableModule) -> None:
    face = echo.share(prompt="S", history=[["a", "b"]])
    before = echo.usage
    face("hi")
    face.stream("hi").join()
    assert face.usage.completion_tokens > 0
    assert [said(completion.text) for _, completion in echo.recent] == ["hi", "hi"]
    assert echo.usage == before
    assert face.deployment == echo.deployment
    assert [m.role for m in face.request("x").messages] == ["system", "user", "assistant", "user"]
    face.stop()
    with pytest.raises(NotStarted):
        echo("hi")


# ---- the deployment


def test_starting_again_changes_nothing_and_restart_makes_a_new_process(echo: wb.TrainableModule) -> None:
    first = echo.deployment
    assert first is not None
    pid = first.record.pid
    assert echo.start().deployment == first
    assert first.record.pid == pid
    echo.restart()
    assert echo.deployment == first  # the same for all who use it
    assert first.record.pid != pid
    assert said(echo("hi")) == "hi"


def test_a_second_module_joins_the_deployment_and_sees_when_the_first_ends_it(echo: wb.TrainableModule) -> None:
    other = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy).start()
    assert other.deployment == echo.deployment
    echo.stop()
    with pytest.raises(EndpointDown, match="was stopped"):
        other("hi")
    assert said(other.start()("hi")) == "hi"


def test_other_arguments_make_a_deployment_of_their_own(echo: wb.TrainableModule) -> None:
    other = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, text="no").start()
    assert other("hi") == "no"
    assert other.deployment != echo.deployment


async def read_on(m: wb.TrainableModule) -> None:
    async for _ in m.astream("hi"):
        pass


ASKED = {
    "whole": lambda m: m("hi"),
    "streamed": lambda m: list(wb.StreamCallHelper(m)("hi")),
    "awaited": lambda m: asyncio.run(m.acall("hi")),
    "streamed and awaited": lambda m: asyncio.run(read_on(m)),
}


@pytest.mark.parametrize("way", ASKED)
def test_an_engine_that_dies_while_answering_is_an_error_with_its_last_lines_and_can_be_started_again(home: Path, way: str) -> None:
    m = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, die_after=2, restarts=0).start()
    with pytest.raises(StreamBroken, match="dies, as it was told to") as error:
        ASKED[way](m)
    assert "start()" in error.value.fix
    assert error.value.partial == "reply fo"
    assert "8 characters" in error.value.fix
    died = m.deployment
    assert m.state == "failed"
    m.deploy_method(wb.deploy.dummy)
    assert said(m.start()("hi")) == "hi"
    assert m.deployment != died


def test_an_engine_killed_between_two_calls_is_told_from_one_that_was_stopped(home: Path) -> None:
    once = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy, restarts=0).start()
    assert once.deployment is not None
    pid = once.deployment.record.pid
    assert pid is not None
    psutil.Process(pid).kill()
    with pytest.raises(EndpointDown, match="engine has ended"):
        once("hi")
    assert said(once.start()("hi")) == "hi"


def test_a_url_attaches_and_the_key_of_our_own_deployment_comes_along(echo: wb.TrainableModule) -> None:
    for tail in ("/", "/chat/completions"):
        attached = wb.TrainableModule("x").deploy_method(wb.deploy.auto, url=echo.endpoint.url + tail)
        assert said(attached("hi")) == "hi"
        assert said(attached.start()("hi")) == "hi"
        assert attached.state == "running"
    with pytest.raises(ArgumentError, match="no address"):
        wb.TrainableModule("x").deploy_method(wb.deploy.auto, url="localhost:80")


def test_a_running_deployment_is_attached_by_job_id_or_name(echo: wb.TrainableModule) -> None:
    job = echo.deployment
    assert job is not None
    for which in (job, job.id, job.name):
        assert said(wb.TrainableModule().attach(which)("hi")) == "hi"


def test_a_start_can_be_stopped_from_another_thread(home: Path) -> None:
    slow = wb.TrainableModule("nothing").deploy_method(wb.deploy.dummy)
    ended: list[str] = []

    def start() -> None:
        try:
            slow.start()
        except wb.errors.JobFailed as e:
            ended.append(e.cause)

    thread = threading.Thread(target=start)
    thread.start()
    while slow.deployment is None:
        time.sleep(0.002)
    slow.stop()
    thread.join(20)
    assert ended == ["It was stopped."] or slow.state == "idle"  # it may just have come up


def test_an_attached_server_is_left_running(echo: wb.TrainableModule, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Path(echo.endpoint.key_file).read_text().strip()
    monkeypatch.setenv("SOME_KEY", key)
    attached = wb.TrainableModule("nothing")
    attached.deploy_method("dummy", url=echo.endpoint.url.replace("127.0.0.1", "localhost") + "/", key_env="SOME_KEY")
    assert said(attached("hi")) == "hi"
    assert key not in repr(attached) + repr(attached.endpoint)
    attached.stop()
    assert said(echo("hi")) == "hi"
    assert said(attached.start()("hi")) == "hi"


def test_evaluation_asks_the_module_with_its_prompt_and_formatter(echo: wb.TrainableModule) -> None:
    face = (echo.share(prompt={"user": "say {input}"}) | said).evalset([{"input": "a", "expected": "say a"}, {"input": "b", "expected": "b"}])
    face.eval()
    assert [r.outputs[0].value for r in face.eval_result.rows] == ["say a", "say b"]
    assert face.eval_result.summary()[0].means == (0.5,)


@pytest.fixture(autouse=True)
def quiet(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """A start may say at most one line where nobody watches."""
    yield
    assert "Traceback" not in capsys.readouterr().err
