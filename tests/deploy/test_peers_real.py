"""SGLang, LMDeploy and LightLLM themselves, where there is an interpreter that has them: ``WORKBENCH_TEST_SGLANG=/path/to/python`` and so on.

None of them is installed for the tests otherwise: they are built for GPUs. With one, our tables are held against the engine's own parser, and it
reads the lines that we make. SGLang is started, too; on a CPU with the attention of torch.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import deploy, pocket
from workbench.core.specs import DeploySpec
from workbench.runtime.work import jobs

from ..support.tiny_models import tiny
from .test_tool_calls import WEATHER

LISTER = Path(__file__).parents[1] / "support" / "list_peer_arguments.py"
CPU = {
    "device": "cpu",
    "attention_backend": "torch_native",
    "sampling_backend": "pytorch",
    "max_total_tokens": 4096,
    "disable_overlap_schedule": True,
    "disable_cuda_graph": True,
}
OURS = {  # what the workbench sets itself, and what would serve beside the guarded server or be only a part of one
    "sglang": """
        admin_api_key api_key config enable_http2 enable_ssl_refresh encoder_only fastapi_root_path grpc_http_sidecar_port grpc_mode grpc_port host
        http2_initial_connection_window_size http2_max_concurrent_streams is_embedding lora_paths model model_path port served_model_name sidecar
        sidecar_args skip_server_warmup smg_grpc_mode smg_http_sidecar_port ssl_ca_certs ssl_certfile ssl_keyfile ssl_keyfile_password use_ray
    """,
    "lmdeploy": "adapters allow_credentials allow_headers allow_methods allow_origins api_keys model_name proxy_url server_name server_port ssl",
    "lightllm": """
        host model_dir model_name nixl_pd_kv_page_num nixl_pd_kv_page_size pd_decode_rpyc_port pd_master_ip pd_master_port port run_mode
        select_p_d_node_strategy use_tgi_api
    """,
}


def python(engine: str) -> str:
    found = os.environ.get(f"WORKBENCH_TEST_{engine.upper()}", "")
    if not found:
        pytest.skip(f"no interpreter with {engine}: WORKBENCH_TEST_{engine.upper()} names one")
    return found


def said_by(engine: str, lines: list[list[str]], folder: Path) -> dict[str, Any]:
    """The engine's options, and the lines that its parser refuses."""
    file = folder / "lines.json"
    file.write_text(json.dumps(lines))
    ran = subprocess.run([python(engine), str(LISTER), engine, str(file)], capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def value_for(option: dict[str, Any]) -> Any:
    """Something that an option takes."""
    if option["nargs"] == 0 or "True" in option["kind"] or "Boolean" in option["kind"]:
        return True
    if option["type"] in ("loads", "parse_cuda_graph_config_arg"):
        return {"decode": {"max_bs": 8}} if option["type"] != "loads" else {"a": 1}
    one: Any = option["choices"][-1] if option["choices"] else 1 if option["type"] in ("int", "float", "human_readable_int", "<lambda>") else "0"
    return [one] if option["nargs"] in ("+", "*") else one


@pytest.mark.parametrize("engine", ["sglang", "lmdeploy", "lightllm"])
def test_every_argument_of_ours_is_one_of_the_engines(engine: str, tmp_path: Path) -> None:
    options = said_by(engine, [], tmp_path)["options"]
    theirs = {flag.lstrip("-").replace("-", "_"): option for flag, option in options.items()}
    table = import_module(f"workbench.deploy.{engine}_arguments")
    negated = {"no_" + name for name in theirs}
    assert table.ARGUMENTS - set(theirs) == set()
    assert set(table.ALIASES.values()) - set(theirs) == set()
    assert set(theirs) - table.ARGUMENTS - set(table.ALIASES) - negated - {"h", "help"} == set(OURS[engine].split())
    if engine == "sglang":
        either = {name for name, option in theirs.items() if option["kind"] == "BooleanOptionalAction"}
        assert {name for name in either if not name.startswith("no_")} == table.NEGATABLE
        assert {name for name, option in theirs.items() if option["type"] == "json_list_type"} - {"sidecar_args"} == table.LISTS
    adapters, template = _adapter(tmp_path), tmp_path / "t.json"
    template.write_text("{}")
    lines = []
    for name in sorted(table.ARGUMENTS):
        values = [value_for(theirs[name])] if name not in getattr(table, "LISTS", ()) else [[1, 2]]
        lines += [_line(engine, arguments={name: value}) for value in ([True, False] if values[0] is True else values)]
    lines += [_line(engine, chat_template=str(template))]
    if engine != "lightllm":
        lines += [_line(engine, adapters=adapters)]
    assert said_by(engine, lines, tmp_path)["refused"] == {}


def _line(engine: str, **fields: Any) -> list[str]:
    spec = DeploySpec(str(pocket.path()), served_name="small", **fields)
    words = [w.replace("{port}", "8000") for w in getattr(deploy, engine)().command(spec.to_json())]
    return words[words.index("api_server") + 1 :] if engine == "lmdeploy" else words[3:]


def _adapter(folder: Path) -> dict[str, str]:
    (folder / "mine").mkdir()
    (folder / "mine" / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}')
    (folder / "mine" / "adapter_model.safetensors").write_bytes(b"")
    return {"mine": str(folder / "mine")}


@pytest.mark.parametrize("engine", ["sglang", "lmdeploy", "lightllm"])
def test_every_parser_of_tool_calls_is_one_of_the_engines(engine: str, tmp_path: Path) -> None:
    from workbench.deploy.peer_parsers import NAMES

    if engine == "lmdeploy":
        code = "from lmdeploy.serve.parsers.tool_parser import ToolParserManager as m; print(*m.module_dict)"
        known = subprocess.run([python(engine), "-c", code], capture_output=True, text=True, check=True).stdout.split()
    else:
        known = said_by(engine, [], tmp_path)["options"]["--tool-call-parser" if engine == "sglang" else "--tool_call_parser"]["choices"]
    assert set(NAMES[engine].values()) - set(known) == set()


# ---- SGLang serves


@pytest.fixture(scope="module")
def sglang(tmp_path_factory: pytest.TempPathFactory, shared_envs: Path) -> Iterator[wb.TrainableModule]:
    interpreter = python("sglang")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("WORKBENCH_HOME", tmp_path_factory.mktemp("sglang")), ("WORKBENCH_ENV_DIR", shared_envs), ("OMP_NUM_THREADS", "1")):
            patch.setenv(name, str(value))
        module = wb.TrainableModule(str(tiny("chat")))
        yield module.deploy_method(wb.deploy.sglang, python=interpreter, **CPU).start()
        jobs.end_all()


def test_sglang_answers_and_streams(sglang: wb.TrainableModule) -> None:
    assert sglang("Hello!", temperature=0) == "Hello! I am a tiny model."
    pieces = list(sglang.stream("Hello!", temperature=0))
    assert "".join(pieces) == "Hello! I am a tiny model."
    assert len(pieces) > 1


def test_sglang_calls_tools(sglang: wb.TrainableModule) -> None:
    answer = sglang("What is the weather in Tokyo?", tools=[WEATHER], temperature=0)
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Tokyo"})
    streamed = list(sglang.stream("What is the weather in Rome?", tools=[WEATHER], temperature=0))
    assert "Rome" in "".join(p for p in streamed if p.tag == "tool")


def test_sglang_keeps_a_schema_and_a_choice(sglang: wb.TrainableModule) -> None:
    schema = {"type": "object", "properties": {"day": {"enum": ["Monday", "Friday"]}}, "required": ["day"], "additionalProperties": False}
    told = sglang("Hello!", response_format={"type": "json_schema", "json_schema": {"name": "d", "schema": schema}}, max_tokens=40)
    assert json.loads(told)["day"] in ("Monday", "Friday")
    assert sglang("Hello!", structured_outputs={"choice": ["yes", "no"]}, max_tokens=8) in ("yes", "no")


def test_sglang_tells_the_exact_prompt_and_how_busy_it_is(sglang: wb.TrainableModule) -> None:
    assert "Hi" in sglang.render("Hi")
    assert sglang.count_tokens("Hi") == len(sglang.tokenize("Hi"))
    assert sglang.detokenize(sglang.tokenize("Hello!")) == "Hello!"
    deployment, until = sglang.deployment, time.monotonic() + 20
    assert deployment is not None
    while not (deployment.load and deployment.load.requests) and time.monotonic() < until:
        time.sleep(0.5)
    assert deployment.load is not None
    assert deployment.load.requests


def test_sglang_lets_nobody_in_without_the_key(sglang: wb.TrainableModule) -> None:
    root = sglang.endpoint.url.removesuffix("/v1")
    for path in ("/v1/models", "/metrics", "/get_server_info", "/generate", "/docs"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(root + path, timeout=10)
        assert refused.value.code == 401, path


def test_sglangs_own_form(sglang: wb.TrainableModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_KEY", Path(sglang.endpoint.key_file).read_text().strip())
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))  # as a stranger's server
    raw = wb.TrainableModule("tiny").deploy_method(wb.deploy.sglang, url=sglang.endpoint.url.removesuffix("/v1") + "/generate", key_env="SOME_KEY")
    answer = raw("Hello", max_tokens=4, temperature=0)
    assert answer.usage.completion_tokens == 4
    assert answer.finish_reason == "length"
    assert "".join(raw.stream("Hello", max_tokens=4, temperature=0)) == answer


def test_sglang_makes_vectors(home: Path) -> None:
    m = wb.TrainableModule("pocket", type="embed").deploy_method(wb.deploy.sglang, python=python("sglang"), **CPU).start()
    vectors = m(["a", "a", "some other words"])
    assert [len(v) for v in vectors] == [256, 256, 256]
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-2)
    assert vectors[0] != pytest.approx(vectors[2], abs=1e-2)
    m.stop()


def test_sglang_ranks(home: Path, tmp_path: Path) -> None:
    interpreter, folder = python("sglang"), tmp_path / "ranks"
    shutil.copytree(tiny("xlmr_rerank"), folder)
    written = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**written, "position_embedding_type": "absolute"})
    )  # SGLang asks for it; published models have it
    m = wb.TrainableModule(str(folder)).deploy_method(wb.deploy.sglang, python=interpreter, mem_fraction_static=0.4, **CPU).start()
    documents = ["a", "bcd", "q"]
    ranks = m("q", documents=documents, top_n=2)
    assert len(ranks) == 2
    assert ranks[0][1] >= ranks[1][1]
    assert {i for i, _ in ranks} < {0, 1, 2}
    m.stop()
