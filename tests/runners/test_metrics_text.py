"""Prometheus' text form, and what the numbers of each kind of server mean. Texts follow the servers' published names."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runners.metrics_readings import KNOWN, Reading, exposition, read
from workbench.runners.metrics_text import Sample, Samples, parse

VLLM = """
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.1
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.2e+03
vllm:prompt_tokens_created{engine="0",model_name="m"} 1.7320512e+09
vllm:generation_tokens_total{engine="0",model_name="m"} 900.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 7.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 3.0
vllm:e2e_request_latency_seconds_bucket{engine="0",le="+Inf",model_name="m"} 10.0
"""
SGLANG = """
sglang:num_running_reqs{model_name="m"} 2.0
sglang:num_queue_reqs{model_name="m"} 1.0
sglang:token_usage{model_name="m"} 0.28
sglang:gen_throughput{model_name="m"} 86.5
sglang:prompt_tokens_total{model_name="m"} 8128
sglang:generation_tokens_total{model_name="m"} 7557
sglang:num_requests_total{model_name="m"} 40
"""
LMDEPLOY = """
lmdeploy:num_requests_running{engine="0",model_name="m"} 1.0
lmdeploy:num_requests_waiting{engine="0",model_name="m"} 0.0
lmdeploy:gpu_cache_usage_perc{engine="0",model_name="m"} 0.07
lmdeploy:prompt_tokens_total{engine="0",model_name="m"} 11
lmdeploy:generation_tokens_total{engine="0",model_name="m"} 22
lmdeploy:request_success_total{engine="0",finished_reason="ResponseType.SUCCESS",model_name="m"} 5
"""
LIGHTLLM = "lightllm_num_running_reqs 2\nlightllm_queue_size 1\nlightllm_request_success_total 6\nlightllm_generation_tokens_total 60\n"
INFINITY = """
http_requests_total{handler="/embeddings",method="POST",status="2xx"} 12
http_requests_total{handler="/metrics",method="GET",status="2xx"} 400
http_requests_total{handler="/health",method="GET",status="2xx"} 4
"""
LLAMA = "llamacpp:prompt_tokens_total 18\nllamacpp:tokens_predicted_total 100\nllamacpp:requests_processing 1\nllamacpp:requests_deferred 2\n"
SLOTS = [
    {"id": 0, "n_ctx": 2048, "is_processing": False},
    {"id": 1, "n_ctx": 2048, "is_processing": True, "n_prompt_tokens": 512, "next_token": [{"n_decoded": 40}]},
]


def answering(metrics: str, slots: Any = SLOTS) -> Any:
    return lambda path: metrics if path == "/metrics" else json.dumps(slots)


@pytest.mark.parametrize(
    ("flavour", "text", "expected"),
    [
        ("vllm", VLLM, Reading(5, 4, 19, 900, 1200, 0.3)),
        ("sglang", SGLANG, Reading(2, 1, 43, 7557, 8128, 0.28)),
        ("lmdeploy", LMDEPLOY, Reading(1, 0, 6, 22, 11, 0.07)),
        ("lightllm", LIGHTLLM, Reading(2, 1, 9, 60, None, None)),
        ("infinity", INFINITY, Reading(0, 0, 12)),
        ("llama_cpp", LLAMA, Reading(1, 2, 9, 140, 18, 0.125)),
        ("workbench", exposition(requests_running=1, requests_waiting=2, requests_total=9, generation_tokens_total=50), Reading(1, 2, 9, 50)),
    ],
)
def test_each_kind_of_server_is_understood(flavour: str, text: str, expected: Reading) -> None:
    assert read(flavour, answering(text), {"cache_tokens": 4096, "begun": lambda: 7}) == expected


@pytest.mark.parametrize("flavour", KNOWN)
def test_a_server_that_tells_nothing_is_idle_and_no_error(flavour: str) -> None:
    found = read(flavour, answering("", []), {})
    assert (found.running, found.waiting) == (0, 0)


def test_an_older_vllm_has_another_name_for_its_cache() -> None:
    assert read("vllm", answering("vllm:gpu_cache_usage_perc 0.25\n"), {}).cache == 0.25


def test_what_is_no_number_does_not_count() -> None:
    assert Samples('a 1\na{x="y"} NaN\na +Inf\na 2 1700000000\n').total(["a"]) == 3
    assert Samples("a NaN\n").mean(["a"]) is None
    assert Samples("").total(["a"]) is None


@pytest.mark.parametrize("line", ["", "# HELP a b", "a", "a b", '{x="y"} 1', 'a{x="y" 1', "a{x=y} 1", "3a 1", 'a{x="y\nz"} 1'])
def test_a_line_that_is_no_sample_is_passed_over(line: str) -> None:
    assert [s for s in parse(f"{line}\ngood 1\n") if s.name == "good"] == [Sample("good", {}, 1.0)]
    assert all(s.name in ("good",) for s in parse(f"{line}\ngood 1\n"))


LABELS = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.text(st.characters(exclude_characters="\r"), max_size=12), max_size=4
)


@given(LABELS, st.floats(allow_nan=False))
def test_every_label_comes_back_as_it_was(labels: dict[str, str], value: float) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    text = "m{" + ",".join(f'{k}="{escaped(v)}"' for k, v in labels.items()) + "} " + repr(value)
    [sample] = parse(text)
    assert sample.labels == labels
    assert sample.value == value


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(isinstance(s.value, float) for s in parse(text))
    assert not math.isnan(read("vllm", answering(text), {}).running)
