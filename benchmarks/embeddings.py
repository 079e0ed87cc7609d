"""10,000 vectors from a real embedding server on this machine, through a module and by a bare httpx loop against the same server.

The model is tiny, so that what lies around it is what is measured. The loop asks for as many texts at a time as the module does, in the
same form, and decodes what comes; it waits for each answer before it asks again.
"""

from __future__ import annotations

import base64
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

import workbench as wb

from .ratio import Ratio, medians, quotient

TEXTS, ROUNDS = 10_000, 3
ENGINES = {"sentence_transformers": "sentence-transformers", "infinity": "Infinity", "llama_cpp": "llama.cpp"}


def ours(module: Any, texts: list[str]) -> float:
    """As a user does it."""
    begin = time.perf_counter()
    found = module(texts)
    took = time.perf_counter() - begin
    assert len(found) == len(texts)
    return took


def bare(module: Any, texts: list[str]) -> float:
    """The least that a program must do to get the same numbers."""
    endpoint = module.endpoint
    size = int(endpoint.options.get("batch_size", 16))
    form = {"encoding_format": "base64"} if endpoint.options.get("encoding") == "base64" else {}
    headers, found = {"Authorization": f"Bearer {Path(endpoint.key_file).read_text().strip()}"}, list[list[float]]()
    with httpx.Client(trust_env=False, timeout=60, headers=headers) as asked:
        begin = time.perf_counter()
        for i in range(0, len(texts), size):
            body = {"model": endpoint.model, "input": texts[i : i + size], **form}
            rows = asked.post(f"{endpoint.url}/embeddings", json=body).json()["data"]
            found += [array("f", base64.b64decode(row["embedding"])).tolist() if form else row["embedding"] for row in rows]
        took = time.perf_counter() - begin
    assert len(found) == len(texts)
    return took


def measure() -> Iterator[Ratio]:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.support.tiny_models import tiny

    texts = [f"The tall bridge {i} crosses {'a silent forest and ' * (i % 5)}the river." for i in range(TEXTS)]
    for engine, title in ENGINES.items():
        module = wb.TrainableModule(str(tiny("embed"))).deploy_method(getattr(wb.deploy, engine)).start()
        try:
            ours(module, texts[:1000])
            mine, least = medians(ROUNDS, lambda m=module: ours(m, texts), lambda m=module: bare(m, texts))  # type: ignore[misc]
            yield quotient(f"10,000 vectors from {title} here", mine, least, "s", "a bare httpx loop", at_most=1.2)
        finally:
            module.stop()
