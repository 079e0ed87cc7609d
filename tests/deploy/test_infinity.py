"""The real Infinity with tiny models: its command line, its key, the same values as the library."""

from __future__ import annotations

import json
import math
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import workbench as wb
from workbench import envs
from workbench.core.protocols import JobPlace
from workbench.core.specs import DeploySpec
from workbench.deploy.infinity_server import ARGUMENTS
from workbench.errors import ArgumentError
from workbench.runtime.work import jobs

from ..support.embed_helpers import reference
from ..support.guarded import assert_guarded
from ..support.tiny_models import tiny

TEXTS = ["The tall bridge crosses a silent forest.", "a", "Tokyo! What is the weather in Paris?", "window " * 100]
_SET_BY_US = {"model_id", "served_model_name", "revision", "preload_only", "host", "port", "url_prefix", "redirect_slash"}
_SET_BY_US |= {"permissive_cors", "api_key", "proxy_root_path"}


def close(one: list[float], other: list[float]) -> bool:
    return all(math.isclose(a, b, abs_tol=2e-5) for a, b in zip(one, other, strict=True))


def test_vectors_and_rankings_are_those_of_the_library(module_home: Path) -> None:
    expected = reference(
        module_home.parent,
        embed=("dense", tiny("embed"), TEXTS, {}),
        logits=("scores", tiny("rerank"), [("bridge", t) for t in TEXTS], {}),
    )
    m = wb.TrainableModule(str(tiny("embed"))).deploy_method(wb.deploy.infinity, **{"batch-size": 256})
    r = wb.TrainableModule(str(tiny("rerank"))).deploy_method(wb.deploy.InfinityRerank)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda module: module.start(), (m, r))) == [m, r]
    assert all(map(close, m(TEXTS), expected["embed"]))
    assert len(m(["a"] * 3000)) == 3000
    assert m([]) == []
    found = r("bridge", documents=TEXTS, top_n=3)
    best = sorted(range(len(TEXTS)), key=lambda i: -expected["logits"][i])
    assert [i for i, _ in found] == best[:3]
    assert close([s for _, s in found], [expected["logits"][i] for i in best[:3]])

    for module in (m, r):
        assert module.deployment is not None
        assert {"/embeddings", "/rerank", "/metrics", "/docs"} <= {
            p.removeprefix("/v1") for p in assert_guarded(module.endpoint, pid=module.deployment.record.pid)
        }
    key = Path(m.endpoint.key_file).read_text().strip()
    lines = [" ".join(p.read_bytes().decode(errors="replace").split("\0")) for p in Path("/proc").glob("[0-9]*/cmdline") if _ours(p)]
    assert any("infinity_emb" in line for line in lines)
    assert not any(key in line for line in lines)
    assert key not in jobs.log_tail(m.endpoint.job_id, 1000)
    m.stop()
    r.stop()


def _ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid() and bool(path.read_bytes())
    except OSError:
        return False


def test_the_command_line(module_home: Path) -> None:
    spec = DeploySpec(str(tiny("embed")), "embed", "mine", {"batch-size": 256, "torch_dtype": "float32", "compile": True})
    line = wb.deploy.infinity().command(spec.to_json())
    assert line[:4] == ["infinity_emb", "v2", "--model-id", str(tiny("embed"))]
    assert " ".join(line).endswith(
        "--served-model-name mine --no-trust-remote-code --compile --no-bettertransformer --batch-size 256 --dtype float32"
    )
    stage = wb.deploy.infinity().plan(spec.to_json(), JobPlace("job", module_home))[0]
    assert stage.environment == "infinity"
    with pytest.raises(ArgumentError, match="batch_size"):
        wb.deploy.infinity().check(DeploySpec(str(tiny("embed")), "embed", arguments={"batchsize": 1}).to_json())
    with pytest.raises(ArgumentError, match="no reranker"):
        wb.deploy.infinity().check(DeploySpec(str(tiny("embed")), "rerank").to_json())


def test_every_argument_exists_in_infinity(module_home: Path) -> None:
    code = (
        "import json, typer; from infinity_emb.cli import tp; print(json.dumps([p.name for p in typer.main.get_command(tp).commands['v2'].params]))"
    )
    out = subprocess.run([str(envs.ensure("infinity")), "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(ARGUMENTS) == set(json.loads(out.splitlines()[-1])) - _SET_BY_US
