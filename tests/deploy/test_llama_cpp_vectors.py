"""Vectors and rankings by the real llama.cpp from tiny models that are converted first: the same as the library's, however many texts."""

from __future__ import annotations

import base64
import json
import math
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import pocket
from workbench.core.specs import DeploySpec
from workbench.errors import ArgumentError, ContextTooLong
from workbench.runtime.inspecting.models import inspect

from ..support.embed_helpers import post, reference
from ..support.tiny_models import tiny

TEXTS = [f"The tall bridge {i} crosses {'a silent forest and ' * (i % 7)}the river." for i in range(100)]
PAIRS: list[Any] = [("bridge", t) for t in TEXTS[:8]]


def convertible(folder: Path) -> Path:
    """The tiny reranker with a table of normal forms, as every real one of its kind has, for the converter to find: one that changes nothing."""
    copy = folder / "xlmr"
    shutil.copytree(tiny("xlmr_rerank"), copy)
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    empty = struct.pack("<I", 1024) + bytes(1025)  # the size of a trie, its 256 empty units, and no text
    tokenizer["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(empty).decode()}
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    return copy


def test_vectors_and_rankings_are_those_of_the_library(module_home: Path) -> None:
    expected = reference(
        module_home.parent,
        embed=("dense", tiny("embed"), TEXTS, {}),
        logits=("logits", tiny("xlmr_rerank"), PAIRS, {}),
    )
    m = wb.TrainableModule(str(tiny("embed"))).deploy_method(wb.deploy.llama_cpp).start()
    with ThreadPoolExecutor(8) as pool:  # several at once: what goes wrong with more than one slot
        found = [v for part in pool.map(m, [TEXTS[i::8] for i in range(8)]) for v in part]
    wanted = [v for i in range(8) for v in expected["embed"][i::8]]
    assert all(math.isclose(sum(a * b for a, b in zip(v, w, strict=True)), 1.0, abs_tol=1e-4) for v, w in zip(found, wanted, strict=True))
    assert m([]) == []
    assert post(m.endpoint, "/embeddings", {"input": "a"}, key="wrong")[0] == 401
    with pytest.raises(ContextTooLong, match=r"too long for embed\. It was input 1"):
        m(["a", "window " * 1000])

    r = wb.TrainableModule(str(convertible(module_home.parent))).deploy_method(wb.deploy.llama_cpp).start()
    apart: list[int] = []  # documents whose order does not hang on the last digit of the random model's scores
    for i in sorted(range(8), key=lambda i: -expected["logits"][i]):
        if not apart or expected["logits"][apart[-1]] - expected["logits"][i] > 0.05:
            apart.append(i)
    assert len(apart) > 3
    shuffled = sorted(apart)
    ranked = r("bridge", documents=[TEXTS[i] for i in shuffled], top_n=3)
    assert [shuffled[i] for i, _ in ranked] == apart[:3]
    assert all(math.isclose(score, expected["logits"][shuffled[i]], abs_tol=0.1) for i, score in ranked)
    r.stop()
    m.stop()

    gguf = next((module_home / "cache" / "gguf").glob("*/embed-f16.gguf"))
    assert inspect(gguf).type == "embed"
    of_the_file = wb.TrainableModule(str(gguf)).start()
    assert of_the_file.engine == "llama_cpp"
    assert math.isclose(sum(a * b for a, b in zip(of_the_file(TEXTS[0]), expected["embed"][0], strict=True)), 1.0, abs_tol=1e-4)


def test_one_text_at_a_time_in_passes_that_hold_it(module_home: Path) -> None:
    line = wb.deploy.llama_cpp().command(DeploySpec(str(tiny("embed")), "embed").to_json())
    assert " ".join(line).endswith("--parallel 1 --embedding --ctx-size 256 --batch-size 256 --ubatch-size 256")
    line = wb.deploy.llama_cpp().command(DeploySpec(str(tiny("xlmr_rerank")), "rerank", arguments={"n_ctx": 128}).to_json())
    assert {"--pooling rank", "--ctx-size 128", "--ubatch-size 128"} <= {f"{a} {b}" for a, b in pairwise(line)}
    with pytest.raises(ArgumentError, match="sentence_transformers"):
        wb.deploy.llama_cpp().check(DeploySpec(str(tiny("rerank")), "rerank").to_json())


def test_a_chat_model_as_a_bare_file_makes_one_vector_of_a_text(module_home: Path) -> None:
    file = module_home.parent / "bare.gguf"
    shutil.copy(next(pocket.path().glob("*.gguf")), file)
    m = wb.TrainableModule(str(file), type="embed").start()
    vectors = m(["Hello there", "Which day comes after Wednesday?"])
    assert [round(sum(x * x for x in v), 4) for v in vectors] == [1.0, 1.0]
    assert m.meta.served is not None
    assert m.meta.served.pooling == "mean"
    assert "mean of a text's tokens" in str(m.meta)
    m.stop()
    with pytest.raises(ArgumentError, match=r"(?s)not a reranker.*type='embed'"):
        wb.TrainableModule(str(file), type="rerank").start()
    for type_, way in (("embed", "none"), ("embed", "rank"), ("rerank", "mean")):
        with pytest.raises(ArgumentError, match=f"pooling_type='{way}'"):
            wb.deploy.llama_cpp().check(DeploySpec(str(file), type_, arguments={"pooling": way}).to_json())
