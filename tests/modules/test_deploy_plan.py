"""What a start would do: the plan of a dry run, and the line that can be pasted."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import cli_helpers
import pytest

import workbench as wb
from workbench import deploy, pocket
from workbench.errors import ArgumentError, ModelNotFound
from workbench.modules.local.trainable import TrainableModule
from workbench.runtime.work import jobs


def test_a_dry_run_starts_and_writes_nothing(home: Path) -> None:
    plan = TrainableModule("pocket").start(dry_run=True)
    assert (plan.engine, plan.type, plan.ready, plan.shares, plan.replaces) == ("llama_cpp", "llm", True, "", ())
    assert "no GPU" in plan.why
    assert plan.files == ("serve.json",)
    assert plan.fit is not None
    assert plan.fit.fits
    text = str(plan)
    assert text.splitlines()[0] == "pocket: a dry run, nothing was started"
    for head in ("model", "engine", "environment", "does", "command", "writes", "fit"):
        assert f"\n  {head} " in text
    assert repr(plan) == text
    assert not jobs.store().jobs()


def test_the_table_escapes_what_it_shows(home: Path, tmp_path: Path) -> None:
    odd = tmp_path / "<b>model"
    shutil.copytree(pocket.path(), odd)
    page = TrainableModule(str(odd)).start(dry_run=True)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;model" in page
    assert page.count("<tr>") == page.count("</tr>") >= 6


def test_a_plan_tells_what_would_be_shared_and_replaced(home: Path) -> None:
    first = TrainableModule("pocket").deploy_method("dummy", text="one").start()
    assert first.deployment is not None
    job = f"pocket ({first.deployment.id})"
    same = TrainableModule("pocket").deploy_method("dummy", text="one").start(dry_run=True)
    assert (same.shares, same.steps, same.files) == (job, (), ())
    assert "there already" in str(same)
    other = TrainableModule("pocket").deploy_method("dummy", text="two", replace=True).start(dry_run=True)
    assert (other.shares, other.replaces) == ("", (job,))
    beside = TrainableModule("pocket").deploy_method("dummy", text="two").start(dry_run=True)
    assert (beside.shares, beside.replaces) == ("", ())
    assert first("x") == "one"


def test_a_conversion_is_among_the_steps(home: Path, tmp_path: Path) -> None:
    whole = tmp_path / "model"
    shutil.copytree(pocket.path(), whole, ignore=shutil.ignore_patterns("*.gguf"))
    plan = TrainableModule(str(whole)).deploy_method(deploy.llama_cpp).start(dry_run=True)
    assert plan.steps == ("Converting to GGUF", "Starting llama.cpp")
    assert "convert.json" in plan.files
    assert any(file.endswith(".gguf") for file in plan.files)
    assert "gguf" in plan.environment


def test_what_start_would_refuse_a_dry_run_refuses(home: Path) -> None:
    with pytest.raises(ModelNotFound):
        TrainableModule("nobody/has-this", trust_remote_code=False).start(dry_run=True)
    with pytest.raises(ModelNotFound, match="Nothing is downloaded here"):
        TrainableModule("nobody/has-this").deploy_method("vllm").deploy_command()
    with pytest.raises(ArgumentError, match="nothing to dry-run"):
        TrainableModule("pocket").deploy_method(None).start(dry_run=True)
    with pytest.raises(ArgumentError, match=r"Write start\(dry_run=True\)"):
        TrainableModule("pocket").deploy_method("dummy", dry_run=True)
    with pytest.raises(ArgumentError, match="not a model that speaks"):
        TrainableModule("pocket", type="tts").deploy_method("llama_cpp").start(dry_run=True)


def test_equal_arguments_under_other_names_are_one_deployment(home: Path) -> None:
    def share(**given: object) -> str:
        return TrainableModule("pocket").deploy_method(deploy.sglang, **given)._planned("show").spec.share_key

    assert share(tp=2) == share(tensor_parallel_size=2) == share(**{"tp-size": 2}) != share(tp=4)
    assert share(quantization="4bit") == share(load_in_4bit=True)
    assert share(ttl=60) == share()


def test_names_of_engines_from_elsewhere(home: Path) -> None:
    for name, engine in (
        ("LMDeploy", "lmdeploy"),
        ("Vllm", "vllm"),
        ("LlamaCpp", "llama_cpp"),
        ("Dummy", "dummy"),
        ("Embedding", "sentence_transformers"),
        ("LazyHuggingFaceRerank", "sentence_transformers"),
        ("infinity_emb", "infinity"),
        ("StableDiffusion3", "diffusers"),
    ):
        assert getattr(deploy, name).name == engine
        assert TrainableModule("pocket").deploy_method(name)._methods["deploy"].name == engine
    assert deploy.AutoDeploy is deploy.auto is deploy.Auto
    for name, instead in (
        ("Mindie", "url='http"),
        ("OCR", "files="),
        ("Bert", "ServerModule"),
        ("RelayServer", "ServerModule"),
        ("Distributed", "tensor_parallel_size"),
        ("DeepSpeed", "wb.deploy.vllm"),
        ("TensorRT_LLM", "trtllm-serve"),
        ("VLM", "type='vlm'"),
        ("set_default", "deploy_method(wb.deploy.vllm)"),
    ):
        with pytest.raises(AttributeError) as said:
            getattr(deploy, name)
        assert instead in str(said.value)
        with pytest.raises(ArgumentError, match="There is no deploy method"):
            TrainableModule("pocket").deploy_method(name)
    with pytest.raises(AttributeError, match="'vllm' is the nearest name"):
        _ = deploy.vllmm


@pytest.mark.parametrize("engine", ["auto", "vllm", "llama_cpp", "transformers", "lmdeploy", "lightllm", "sglang", "dummy"])
def test_arguments_that_other_frameworks_have_say_what_to_do_instead(engine: str) -> None:
    for name, instead in (
        ("launcher", "tensor_parallel_size=2"),
        ("log_path", r"m\.deployment\.logs"),
        ("stream", r"m\.stream"),
        ("server-port", "port="),
        ("served_model_name", r"m\.endpoint\.model"),
        ("security_key", "key_file"),
        ("options_keys", "enable_prefix_caching=True"),
        ("num_replicas", "variant='b'"),
        ("backend.max_model_len", "without 'backend.'"),
        ("model_type", "type='embed'"),
    ):
        with pytest.raises(ArgumentError, match=f"takes no argument '{name}'[\\s\\S]*{instead}"):
            TrainableModule("pocket").deploy_method(engine, **{name: None})
    TrainableModule("pocket").deploy_method(engine, port=None, openai_api=True)


def test_an_engine_is_named_and_not_called() -> None:
    with pytest.raises(ArgumentError, match=r"deploy_method\(wb\.deploy\.vllm, tp=…\)"):
        deploy.vllm(tp=2)
    with pytest.raises(ArgumentError, match=r"deploy_method\(wb\.deploy\.speech\)"):
        deploy.TTSDeploy("bark")
    with pytest.raises(ArgumentError, match=r"TrainableModule\('…'\)\.start\(\)"):
        deploy.auto(base_model="x")


def test_what_is_given_for_our_own_arguments_is_checked_at_once() -> None:
    for given, said in (
        ({"port": 99999}, "Port 99999"),
        ({"ttl": -1}, "ttl cannot be"),
        ({"restarts": 1.5}, "restarts cannot be"),
        ({"replace": "yes"}, "neither yes nor no"),
    ):
        with pytest.raises(ArgumentError, match=said):
            TrainableModule("pocket").deploy_method("dummy", **given)
    with pytest.raises(ArgumentError, match="was given tp and tensor_parallel_size"):
        TrainableModule("pocket").deploy_method("vllm", tp=1, tensor_parallel_size=1)
    with pytest.raises(ArgumentError, match="'port' is the nearest"):
        TrainableModule("pocket").deploy_method("vllm", prot=8000)


def test_a_port_that_was_asked_for_stands_in_the_line(home: Path) -> None:
    assert " --port 8123 " in TrainableModule("pocket").deploy_method("vllm", port=8123).deploy_command()


@pytest.mark.parametrize(("engine", "said"), [("dummy", "pasted"), ("llama_cpp", "Thursday")])
def test_the_line_can_be_pasted(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, said: str) -> None:
    """That of llama.cpp as well, where its own ``llama-server`` is not installed."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    line = TrainableModule("pocket").deploy_method(engine, **({"text": "pasted"} if engine == "dummy" else {})).deploy_command()
    assert "llama-server" not in line
    (tmp_path / "key").write_text("some-key")
    shell = subprocess.Popen(["bash", "-c", line.replace("{key_file}", str(tmp_path / "key"))], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert shell.stdout is not None
        ready = next(d for text in shell.stdout if text.startswith("{") and (d := json.loads(text))["event"] == "ready")
        body = json.dumps({"model": "pocket", "messages": [{"role": "user", "content": "Which day comes after Wednesday?"}]}).encode()
        headers = {"Authorization": "Bearer some-key", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{ready['url']}/chat/completions", body, headers), timeout=20) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == said
    finally:
        shell.terminate()
        shell.wait(20)


def test_the_terminal_has_the_dry_run(home: Path) -> None:
    done = cli_helpers.workbench("deploy", "pocket", "n_ctx=512", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "nothing was started" in done.stdout
    assert "512" in done.stdout
    assert not wb.jobs()


def test_another_port_than_the_one_that_was_asked_for_is_told(home: Path) -> None:
    first = TrainableModule("one").deploy_method("dummy").start()
    port = int(first.endpoint.url.split(":")[2].split("/")[0])
    with pytest.warns(UserWarning, match=rf"Port {port} is taken by one \(\w+\): two answers at port \d+, http"):
        TrainableModule("two").deploy_method("dummy", port=port, openai_api=True).start()


def test_llama_cpp_takes_vllms_length_of_a_conversation(home: Path) -> None:
    four = TrainableModule("pocket").deploy_method("llama_cpp", **{"max-model-len": 300}).start(dry_run=True)
    assert "1,200 tokens" in str(four)  # one length for each of four at a time
    with pytest.raises(ArgumentError, match="does not take max_model_len='many'"):
        TrainableModule("pocket").deploy_method("llama_cpp", max_model_len="many")
