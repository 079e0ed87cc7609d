"""LMDeploy, LightLLM and SGLang need a GPU, so that the real ones are not run here. Their command lines are checked against the published
ones, and a script that speaks their published OpenAI form stands in for the server: a real process, real HTTP, our real guard and runner.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from scripted_engine import interpreter

import workbench as wb
from workbench import deploy, pocket
from workbench.core.specs import DeploySpec
from workbench.errors import ArgumentError, EnvironmentFailed
from workbench.modules.local.trainable import TrainableModule
from workbench.runtime.work import jobs

from ..support.guarded import assert_guarded

ENGINES = ("lmdeploy", "sglang", "lightllm")


def line(engine: str, **fields: object) -> str:
    arguments = fields.pop("arguments", {})
    spec = DeploySpec(str(pocket.path()), served_name="small", arguments=arguments, **fields)  # type: ignore[arg-type]
    return " ".join(getattr(deploy, engine)().command(spec.to_json())).replace(str(pocket.path()), "MODEL")


@pytest.fixture
def adapters(tmp_path: Path) -> dict[str, str]:
    for name in ("mine", "yours"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}')
        (tmp_path / name / "adapter_model.safetensors").write_bytes(b"")
    return {"mine": str(tmp_path / "mine"), "yours": str(tmp_path / "yours")}


# ---- what is run


def test_lmdeploy_line() -> None:
    assert line("lmdeploy", arguments={"tp": 2, "session_len": 8192, "quant_policy": "int8", "enable_prefix_caching": True, "eager_mode": False}) == (
        "python -m lmdeploy serve api_server MODEL --server-name 127.0.0.1 --server-port {port} --model-name small "
        "--tp 2 --session-len 8192 --quant-policy int8 --enable-prefix-caching"
    )
    assert line("lmdeploy", arguments={"LMDEPLOY_EAGER_MODE": True, "max-batch-size": 128}).endswith("--eager-mode --max-batch-size 128")
    assert line("lmdeploy", arguments={"async_": False, "tool_call_parser": "qwen3"}).endswith("--async 0 --tool-call-parser qwen3")


def test_lmdeploy_lora_takes_the_backend_that_has_it(adapters: dict[str, str]) -> None:
    assert line("lmdeploy", adapters=adapters).endswith("--backend pytorch --adapters mine={mine} yours={yours}".format(**adapters))
    with pytest.raises(ArgumentError, match="backend='turbomind' was given"):
        line("lmdeploy", adapters=adapters, arguments={"backend": "turbomind"})


def test_lmdeploy_refuses_a_jinja_template(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no JSON file"):
        line("lmdeploy", chat_template=str(tmp_path / "a.jinja"))
    assert line("lmdeploy", chat_template="/t/a.json").endswith("--chat-template /t/a.json")


def test_sglang_line() -> None:
    given = {"tp": 2, "max_total_token_num": 64000, "mem_fraction_static": 0.8, "tool_call_parser": "qwen25", "trust_remote_code": True}
    assert line("sglang", arguments=given) == (
        "python -m sglang.launch_server --model-path MODEL --served-model-name small --host 127.0.0.1 --port {port} --skip-server-warmup "
        "--enable-metrics --tp-size 2 --max-total-tokens 64000 --mem-fraction-static 0.8 --tool-call-parser qwen25 --trust-remote-code"
    )
    assert "--enable-metrics" not in line("sglang", arguments={"enable_metrics": False})
    assert line("sglang", chat_template="/t/a.jinja", arguments={"chat_template": "chatml"}).endswith("--chat-template /t/a.jinja")


def test_sglang_lora_line(adapters: dict[str, str]) -> None:
    assert line("sglang", adapters=adapters).endswith("--enable-lora --lora-paths mine={mine} yours={yours}".format(**adapters))


def test_sglang_embeds_and_ranks(tmp_path: Path) -> None:
    assert "--is-embedding" in line("sglang", type="embed")
    for architecture, cross in (("XLMRobertaForSequenceClassification", True), ("Qwen3ForCausalLM", False)):
        (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture]}))
        spec = DeploySpec(str(tmp_path), type="rerank")
        words = deploy.sglang().command(spec.to_json())
        assert ("--is-embedding" in words, "--disable-radix-cache" in words) == (cross, cross)


def test_lightllm_line(adapters: dict[str, str]) -> None:
    given = {"tp": 2, "max_total_token_num": 64000, "max_model_len": 8192, "dtype": "bf16", "disable_vision": False}
    assert line("lightllm", arguments=given) == (
        "python -m lightllm.server.api_server --model_dir MODEL --model_name small --host 127.0.0.1 --port {port} "
        "--tp 2 --max_total_token_num 64000 --max_req_total_len 8192 --data_type bf16"
    )
    with pytest.raises(ArgumentError, match="no LoRA adapters"):
        line("lightllm", adapters=adapters)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_workbench_sets_is_no_argument(engine: str) -> None:
    for name in ("api_key", "api_keys", "host", "port", "server_name", "server_port", "model_path", "model_dir", "ssl_keyfile"):
        with pytest.raises(ArgumentError, match=r"does not know the argument|takes no argument"):
            line(engine, arguments={name: 1})
    with pytest.raises(ArgumentError, match="does not serve models of type 'tts'"):
        line(engine, type="tts")
    with pytest.raises(ArgumentError, match="cannot be given temperature for every client"):
        line(engine, defaults={"temperature": 0.2})


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_gpu_it_is_said_before_anything_starts(engine: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.envs.torch_variant.driver_cuda", lambda: None)
    with pytest.raises(EnvironmentFailed, match=r"needs a GPU, and this machine has none[\s\S]*python="):
        TrainableModule("pocket").deploy_method(engine).start()


def test_memory_that_is_short_names_the_argument() -> None:
    log = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"
    for engine, argument in (("lmdeploy", "cache_max_entry_count"), ("sglang", "mem_fraction_static"), ("lightllm", "mem_fraction")):
        found = getattr(deploy, engine)().explain("serve", 1, log)
        assert argument in found.fix


# ---- served by a script in its place


@pytest.fixture(scope="module")
def interpreters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("engines")
    return {engine: str(interpreter(folder, engine)) for engine in ENGINES}


@pytest.fixture(params=ENGINES)
def served(request: pytest.FixtureRequest, interpreters: dict[str, str], home: Path) -> Iterator[TrainableModule]:
    module = TrainableModule("pocket").deploy_method(request.param, tp=2, python=interpreters[request.param]).start()
    yield module
    module.stop()


def test_it_answers_streams_and_lets_nobody_in_without_the_key(served: TrainableModule, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = served.engine
    assert served("hello you") == f"{engine} heard hello you"
    pieces = [str(piece) for piece in wb.StreamCallHelper(served)("one two")]
    assert "".join(pieces) == f"{engine} heard one two"
    assert len(pieces) > 1
    assert_guarded(served.endpoint, pid=jobs.store().job(served.endpoint.job_id).pid)
    key = Path(served.endpoint.key_file).read_text().strip()
    for process in psutil.process_iter():
        try:
            assert key not in " ".join(process.cmdline())
        except psutil.Error:
            continue
    assert served.deployment is not None
    assert key not in "".join(served.deployment.logs())
    assert served.deploy_command().count("{port}") == 1
    monkeypatch.setenv("SOME_KEY", key)
    attached = TrainableModule("small").deploy_method(engine, url=f"{served.endpoint.url}/", key_env="SOME_KEY")
    assert attached("again") == f"{engine} heard again"


def test_vectors_and_rankings_in_sglangs_form(interpreters: dict[str, str], home: Path, tmp_path: Path) -> None:
    vectors = TrainableModule("pocket", type="embed").deploy_method("sglang", python=interpreters["sglang"]).start()
    assert vectors(["a", "bcd"]) == [[1.0, 1.0], [3.0, 1.0]]
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["XLMRobertaForSequenceClassification"], "model_type": "xlm-roberta"}))
    (tmp_path / "model.safetensors").write_bytes((8).to_bytes(8, "little") + b"{}      ")
    ranks = TrainableModule(str(tmp_path)).deploy_method("sglang", python=interpreters["sglang"]).start()
    assert ranks("q", documents=["a", "bcd", "ef"], top_n=2) == [(1, 3.0), (2, 2.0)]
