"""The values of llama.cpp's arguments: its own parser and our runner make the same of them, and what means nothing is refused before a start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import pocket
from workbench.deploy import llama_cpp, llama_cpp_values
from workbench.deploy.llama_cpp_arguments import ARGUMENTS
from workbench.errors import ArgumentError

RUNNERS = Path(wb.__file__).parent / "runners"
PARSER = Path(__file__).parent.parent / "support" / "llama_cpp_parser.py"
VALUES: dict[str, list[Any]] = {
    "int": [7],
    "number": [0.5],
    "switch": [True, False],
    "text": ["x"],
    "texts": [["top_k", "temperature"]],
    "file": ["/m.gguf"],
    "numbers": [[3, 1]],
    "layers": [3, "all", "auto"],
    "mapping": [{"a": 1}],
    "mask": ["ff"],
    "adapters": [["/a.gguf"], {"/a.gguf": 0.5}],
    **{kind: list(words) for kind, words in llama_cpp_values.WORDS.items()},
}
NO_FLAG = {"enable_chat_template", "n_probs", "min_keep", "timeout_read", "timeout_write"}  # of CommonParams only
SPECIAL: dict[str, list[Any]] = {
    "override_tensor": ["exps=CPU"],
    "override_tensor_draft": ["exps=CPU"],
    "fit_target": [[77], [77, 99]],
    "rope_scale": [4],
    "dry_base": [3],
    "reasoning_effort": ["high"],
    "slot_save_path": ["/tmp/"],
    "media_path": ["/tmp/"],
    "mmproj_device": ["none"],
    "lazy_mode": ["on", "off", "auto"],
    "n_batch": [77],
    "n_ubatch": [77],
    "spec_ngram_mod_n_max": [99],
    "spec_ngram_mod_n_min": [3],
    "tensor_split": [[3, 1], [0.5, 0.5]],
    "main_gpu": [0],
    "numa": ["distribute", "isolate", "numactl"],
}


def test_llama_cpps_own_parser_makes_the_same_of_every_argument(tmp_path: Path) -> None:
    cases = {}
    for name, argument in ARGUMENTS.items():
        for value in SPECIAL.get(name, VALUES[argument.kind]) if name not in NO_FLAG else ():
            settled = llama_cpp.settle({name: value})
            if settled[name] is False and name in llama_cpp_values.ONE_WAY:
                continue
            cases[f"{name}={value}"] = {"line": llama_cpp_values.flags(settled), "placed": llama_cpp_values.placed(settled)}
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    key = tmp_path / "key"
    key.write_text("k")
    env = {**os.environ, "WORKBENCH_KEY_FILE": str(key)}
    ran = subprocess.run(
        [sys.executable, str(PARSER), str(tmp_path / "cases.json"), str(RUNNERS)], env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert json.loads(ran.stdout.splitlines()[-1]) == {}
    assert len(cases) > 150


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        ({"-fa": True}, {"flash_attn_type": "on"}),
        ({"flash_attn": "enabled"}, {"flash_attn_type": "on"}),
        ({"ctk": "Q8_0", "ctv": "iq4_nl"}, {"cache_type_k": "q8_0", "cache_type_v": "iq4_nl"}),
        ({"reasoning_format": "deepseek_legacy"}, {"reasoning_format": "deepseek-legacy"}),
        ({"no_warmup": True}, {"warmup": False}),
        ({"--no-context-shift": True}, {"ctx_shift": False}),
        ({"kv_offload": False}, {"no_kv_offload": True}),
        ({"no_mmap": True}, {"load_mode": "none"}),
        ({"mlock": True}, {"load_mode": "mlock"}),
        ({"n_gpu_layers": "all"}, {"n_gpu_layers": "all"}),
        ({"-ngl": "99"}, {"n_gpu_layers": 99}),
        ({"ts": "3,1"}, {"tensor_split": [3, 1]}),
        ({"prio": 2}, {"prio": "high"}),
        ({"draft": 8}, {"spec_draft_n_max": 8}),
        ({"n_ctx": None}, {}),
        ({"n_ctx": "4096"}, {"n_ctx": 4096}),
        ({"chat_template_kwargs": '{"a": 1}'}, {"default_template_kwargs": {"a": 1}}),
        ({"spec_type": ["ngram-mod", "draft_simple"]}, {"spec_type": "ngram-mod,draft-simple"}),
    ],
)
def test_values_are_taken_as_llama_server_takes_them(given: dict[str, Any], settled: dict[str, Any]) -> None:
    assert llama_cpp.settle(given) == settled


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"cache_type_k": "q99"}, "f32, f16, bf16, q8_0"),
        ({"cache_type_v": "f61"}, "'f16' is the nearest"),
        ({"rope_scaling": "liner"}, "none, linear, yarn"),
        ({"pooling": "avg"}, "none, mean, cls, last, rank"),
        ({"flash_attn": "maybe"}, "on, off, auto"),
        ({"split_mode": "rows"}, "'row' is the nearest"),
        ({"n_ctx": "many"}, "whole number"),
        ({"n_ctx": True}, "whole number"),
        ({"top_p": "high"}, "a number"),
        ({"warmup": "perhaps"}, "True or False"),
        ({"ngl": "some"}, "'auto' or 'all'"),
        ({"chat_template_kwargs": "[1]"}, "dictionary"),
        ({"cpu_mask": "zz"}, "hexadecimal"),
        ({"mlock": "so"}, "True or False"),
        ({"host": "0.0.0.0"}, "127.0.0.1"),
        ({"model": "x"}, "TrainableModule"),
        ({"reranking": True}, "type='rerank'"),
        ({"warmup": True, "no_warmup": True}, "different things"),
        ({"ctv": "q8_0", "fa": "off"}, "without flash attention"),
        ({"n_ctxx": 3}, "n_ctx"),
    ],
)
def test_what_means_nothing_is_refused_in_llama_cpps_words(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=f"(?s){told}"):
        wb.TrainableModule(str(pocket.path())).deploy_method(wb.deploy.llama_cpp, **given)
