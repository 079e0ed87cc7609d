"""Vectors from a server that somebody else wrote, llama.cpp, beside what OpenAI's own client reads from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import workbench as wb
from workbench import errors


@pytest.fixture
def served(home: Path) -> Iterator[tuple[str, str]]:
    """Address and key of llama.cpp's server with the small model, making vectors.

    One text at a time: side by side, llama.cpp pools only a part of some texts of a causal model.
    """
    m = wb.TrainableModule("pocket").deploy_method(wb.deploy.llama_cpp, embedding=True, pooling_type="mean", n_parallel=1).start()
    yield m.endpoint.url, Path(m.endpoint.key_file).read_text().strip()
    m.stop()


def test_llama_cpps_vectors_are_those_that_openais_client_reads(served: tuple[str, str]) -> None:
    url, key = served
    m = wb.OnlineEmbeddingModule("openai", url, "pocket", api_key=key, batch_size=7)
    texts = [f"text number {i}" for i in range(20)]
    ours = m(texts)
    theirs = [d.embedding for d in openai.OpenAI(base_url=url, api_key=key).embeddings.create(model="pocket", input=texts).data]
    assert [_near(a, b) for a, b in zip(ours, theirs, strict=True)] == [True] * 20
    assert _near(m(texts[3]), theirs[3])
    assert m.usage.prompt_tokens > 20
    assert _near(m(texts[3], encoding_format="float"), theirs[3])


def test_llama_cpps_refusals_are_told_in_their_kind(served: tuple[str, str]) -> None:
    url, key = served
    with pytest.raises(errors.AuthenticationFailed):
        wb.OnlineEmbeddingModule("openai", url, "pocket", api_key="wrong")("text")
    with pytest.raises(errors.EndpointError, match="too large"):
        wb.OnlineEmbeddingModule("openai", url, "pocket", api_key=key)("word " * 3000)


def _near(a: Any, b: Any) -> bool:
    """The same direction: what else is in a batch changes the last digits."""
    dot, aa, bb = (sum(x * y for x, y in zip(p, q, strict=True)) for p, q in ((a, b), (a, a), (b, b)))
    return bool(dot / (aa * bb) ** 0.5 > 0.999)
