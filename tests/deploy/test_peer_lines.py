"""Lines of SGLang, LMDeploy and LightLLM whose form each engine has for itself: switches, lists, tool calls, and names that have gone.

The engines' own parsers have read such lines, for every argument; `test_peers_real` does so again where one of them is installed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import scripted_engine

from workbench import deploy, pocket
from workbench.core.specs import DeploySpec
from workbench.deploy import peer_parsers, vllm_parsers
from workbench.errors import ArgumentError, EnvironmentFailed
from workbench.modules.local.trainable import TrainableModule

QWEN = "{% if tools %}<tools>{% endif %}<tool_call>\n{'name': …}\n</tool_call>"
LLAMA = "{% if tools %}{% endif %}<|python_tag|>"


def words(engine: str, **arguments: Any) -> list[str]:
    return list(getattr(deploy, engine)().command(DeploySpec(str(pocket.path()), served_name="small", arguments=arguments).to_json()))


def test_off_is_said_to_sglang_where_it_can_be_said() -> None:
    assert words("sglang", dllm_fdfo=False, enable_tf32_matmul=True)[-2:] == ["--no-dllm-fdfo", "--enable-tf32-matmul"]
    assert words("sglang", trust_remote_code=False)[-1] == "--enable-metrics"
    for engine in ("lmdeploy", "lightllm"):
        assert "trust" not in " ".join(words(engine, trust_remote_code=False))


def test_a_list_is_written_as_the_engine_reads_it() -> None:
    hooks = [{"name": "a"}]
    assert words("sglang", forward_hooks=hooks)[-2:] == ["--forward-hooks", json.dumps(hooks)]
    assert words("sglang", cuda_graph_bs=[1, 2])[-3:] == ["--cuda-graph-bs-decode", "1", "2"]
    assert words("lightllm", grouping_key=["a=1", "b=2"])[-4:] == ["--grouping_key", "a=1", "--grouping_key", "b=2"]
    assert words("lightllm", eos_id=[1, 2])[-3:] == ["--eos_id", "1", "2"]


@pytest.mark.parametrize(
    ("engine", "argument", "instead"),
    [
        ("sglang", "enable_ep_moe", "ep_size="),
        ("sglang", "enable-deepep-moe", "deepep"),
        ("lmdeploy", "disable_vision_encoder", "language_model_only"),
    ],
)
def test_an_argument_that_has_gone_says_what_to_write(engine: str, argument: str, instead: str) -> None:
    with pytest.raises(ArgumentError, match=rf"(?s)has no argument '{argument}' any more.*{instead}"):
        words(engine, **{argument: True})


@pytest.mark.parametrize(
    ("engine", "template", "parser"),
    [
        ("sglang", QWEN, "hermes"),
        ("sglang", LLAMA, "llama3"),
        ("lmdeploy", QWEN, "qwen3"),
        ("lmdeploy", LLAMA, "llama3"),
        ("lightllm", QWEN, "qwen25"),
        ("lightllm", LLAMA, "llama3"),
        ("sglang", "no word of them", ""),
        ("lmdeploy", "{{ tools }}[TOOL_CALLS]", ""),  # it has no parser for that
    ],
)
def test_the_template_tells_each_engine_how_to_read_tool_calls(engine: str, template: str, parser: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["SomeForCausalLM"]}')
    (tmp_path / "chat_template.jinja").write_text(template)
    line = " ".join(getattr(deploy, engine)().command(DeploySpec(str(tmp_path), served_name="small").to_json()))
    flag = "--tool_call_parser" if engine == "lightllm" else "--tool-call-parser"
    assert (f"{flag} {parser}" in line) if parser else (flag not in line)
    own = DeploySpec(str(tmp_path), served_name="small", arguments={"tool_call_parser": "mine"})
    assert " ".join(getattr(deploy, engine)().command(own.to_json())).count(flag) == 1


def test_every_parser_in_the_table_is_one_that_a_template_leads_to() -> None:
    told = {row.parser for row in vllm_parsers.TOOLS}
    assert {name for names in peer_parsers.NAMES.values() for name in names} <= told


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        (
            "ValueError: no GPU memory for the KV cache. Raise --mem-fraction-static above 0.204 (minimum",
            "mem_fraction_static=… a larger value above 0.204",
        ),
        ("RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.", "mem_fraction_static=… a larger value"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", "mem_fraction_static=… or context_length=… a smaller value"),
    ],
)
def test_memory_that_is_short_in_sglang_names_the_direction(said: str, fix: str) -> None:
    assert fix in deploy.sglang().explain("serve", 1, said).fix


def test_the_lightllm_of_the_package_index_is_too_old(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scripted_engine._VERSIONS, "lightllm", "0.0.1")
    python = scripted_engine.interpreter(tmp_path, "lightllm")
    with pytest.raises(EnvironmentFailed, match=r"lacks what lightllm needs: lightllm>=1[\s\S]*github\.com/ModelTC/LightLLM"):
        TrainableModule("pocket").deploy_method("lightllm", python=str(python)).start()
