"""For tests of embedding servers: what sentence-transformers itself gives, and raw requests."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from workbench.core.endpoints import Endpoint

_REFERENCE = """
import json, sys, torch
from sentence_transformers import CrossEncoder, SentenceTransformer, SparseEncoder
asked, out = json.load(open(sys.argv[1])), {}
for name, (kind, path, inputs, more) in asked.items():
    if kind == "dense":
        out[name] = SentenceTransformer(path, device="cpu").encode(inputs, **more).tolist()
    elif kind == "sparse":
        rows = SparseEncoder(path, device="cpu").encode(inputs).to_dense()
        out[name] = [{int(i): float(row[i]) for i in row.nonzero().flatten()} for row in rows]
    elif kind == "lexical":
        model, head = SentenceTransformer(path, device="cpu"), torch.load(path + "/sparse_linear.pt")
        with torch.no_grad():
            out[name] = []
            for text in inputs:
                ids = model.tokenizer(text, return_tensors="pt")
                states = model[0].auto_model(**ids).last_hidden_state[0]
                weights = torch.relu(states @ head["weight"].T + head["bias"]).flatten().tolist()
                found = {}
                for token, weight in zip(ids["input_ids"][0].tolist(), weights):
                    if token not in model.tokenizer.all_special_ids and weight > 0:
                        found[token] = max(weight, found.get(token, 0))
                out[name].append(found)
    elif kind == "head":
        torch.manual_seed(0)
        torch.save({"weight": torch.randn(1, 128), "bias": torch.zeros(1)}, path + "/sparse_linear.pt")
    else:
        more = {"activation_fn": torch.nn.Identity()} if kind == "logits" else {}
        out[name] = CrossEncoder(path, device="cpu").predict([tuple(p) for p in inputs], **more).tolist()
json.dump(out, open(sys.argv[2], "w"))
"""


def reference(folder: Path, **asked: tuple[str, Path, list[Any], dict[str, Any]]) -> dict[str, Any]:
    """What sentence-transformers gives, called by itself in its environment: (kind, model, inputs, arguments) for each name."""
    from workbench import envs

    given, out = folder / "asked.json", folder / "reference.json"
    given.write_text(json.dumps({k: (kind, str(path), inputs, more) for k, (kind, path, inputs, more) in asked.items()}))
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [str(envs.ensure("sentence_transformers")), "-c", _REFERENCE, str(given), str(out)]
    made = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def post(endpoint: Endpoint, path: str, body: Any, key: str | None = None) -> tuple[int, dict[str, Any]]:
    """Status and body of a raw request below the endpoint's address; with the deployment's own key unless another is given."""
    shown = Path(endpoint.key_file).read_text().strip() if key is None else key
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {shown}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint.url + path, data, headers), timeout=60) as answer:
            return int(answer.status), json.loads(answer.read())
    except urllib.error.HTTPError as e:
        with e:
            return e.code, json.loads(e.read() or b"{}")
