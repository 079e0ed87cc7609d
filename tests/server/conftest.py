"""One real Jupyter server with the extension, and ways to speak to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jupyter_process import Jupyter, jupyter

SUPPORT = Path(__file__).parent.parent / "support"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server and this process on one home; jobs run the stages of `scripted_backends`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")])))
        patch.setenv("OMP_NUM_THREADS", "1")
        with jupyter(tmp_path_factory.mktemp("server"), "jupyter_server") as running:
            patch.setenv("WORKBENCH_HOME", str(running.home))
            yield running
            from workbench.runtime.work import jobs

            jobs.end_all()


@pytest.fixture
def client(server: Jupyter) -> Iterator[httpx.Client]:
    """Speaks to the extension's routes, with the server's token."""
    with httpx.Client(base_url=f"{server.url}/workbench/", headers={"Authorization": f"token {server.token}"}, timeout=30) as http:
        yield http
