"""Tokens of texts and texts of tokens, by a model's own tokenizer: ``python -I tokenize_text.py < REQUEST.json``.

Run by an interpreter that has ``tokenizers`` (for a ``tokenizer.json``), transformers (for other forms) or xllamacpp (for a GGUF file, of
which nothing but the vocabulary is read in). No code that comes with a model is run. Knows no template.

Request: ``{model, texts, ids}``. Answer: ``{tokens: [[id, …], …], pieces: [[str, …], …], raw, texts: [str, …]}``; ``raw`` says that pieces are
entries of the vocabulary, or ``{error}``.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import urllib.request
from typing import Any

_KEPT: list[Any] = []
"""Servers until the process ends: one that goes away while it is hardly up never returns, about once in a hundred times on a busy machine."""


def main() -> None:
    request = json.load(sys.stdin)
    out = os.dup(1)
    os.dup2(2, 1)  # what an engine prints is no answer
    try:
        found = answer(request)
    except Exception as e:
        found = {"error": f"{type(e).__name__}: {e}"}
    with open(out, "w") as f:
        json.dump(found, f)
    os._exit(0)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """By whatever fits the model's files."""
    model = request["model"]
    if model.endswith(".gguf"):
        return by_llama_cpp(model, request["texts"], request["ids"])
    if os.path.isfile(os.path.join(model, "tokenizer.json")):
        return by_tokenizers(os.path.join(model, "tokenizer.json"), request["texts"], request["ids"])
    return by_transformers(model, request["texts"], request["ids"])


def by_tokenizers(file: str, texts: list[str], ids: list[list[int]]) -> dict[str, Any]:
    """With ``tokenizer.json``."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(file)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    found = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    said = [tokenizer.decode(known(row, tokenizer.get_vocab_size()), skip_special_tokens=False) for row in ids]
    return {"tokens": [f.ids for f in found], "pieces": [f.tokens for f in found], "raw": True, "texts": said}


def by_transformers(model: str, texts: list[str], ids: list[list[int]]) -> dict[str, Any]:
    """With whatever transformers makes of the folder."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True, trust_remote_code=False)
    tokens = [list(tokenizer.encode(text, add_special_tokens=False)) for text in texts]
    said = [tokenizer.decode(known(row, len(tokenizer)), skip_special_tokens=False, clean_up_tokenization_spaces=False) for row in ids]
    return {"tokens": tokens, "pieces": [tokenizer.convert_ids_to_tokens(row) for row in tokens], "raw": True, "texts": said}


def by_llama_cpp(model: str, texts: list[str], ids: list[list[int]]) -> dict[str, Any]:
    """With llama.cpp's own server: the weights stay where they are, and the smallest context is made."""
    import xllamacpp

    p = xllamacpp.CommonParams()
    key = secrets.token_urlsafe(32)
    p.model.path, p.hostnames, p.port, p.api_keys = model, ["127.0.0.1"], 0, [key]
    p.n_ctx, p.n_parallel, p.n_batch, p.n_ubatch, p.n_gpu_layers = 32, 1, 32, 32, 0
    p.warmup, p.no_extra_bufts, p.ui, p.verbosity, p.cache_ram_mib, p.fit_params = False, True, False, -1, 0, False
    p.use_jinja, p.chat_template = False, "chatml"  # the model's own is not looked at
    server = xllamacpp.Server(p)
    _KEPT.append(server)

    def ask(path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        request = urllib.request.Request(server.listening_address + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    rows = [ask("/tokenize", {"content": t, "add_special": False, "parse_special": True, "with_pieces": True})["tokens"] for t in texts]
    pieces = [[r["piece"] if isinstance(r["piece"], str) else bytes(r["piece"]).decode("utf-8", "replace") for r in row] for row in rows]
    said = [ask("/detokenize", {"tokens": row})["content"] for row in ids]
    return {"tokens": [[r["id"] for r in row] for row in rows], "pieces": pieces, "raw": False, "texts": said}


def known(row: list[int], size: int) -> list[int]:
    """The tokens, when the vocabulary has them all."""
    beyond = [i for i in row if not 0 <= i < size]
    if beyond:
        raise ValueError(f"the vocabulary has {size} tokens, and none with the number {beyond[0]}")
    return row


if __name__ == "__main__":
    main()
