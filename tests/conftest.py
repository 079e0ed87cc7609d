"""Every test has a home of its own; the environments of backends are shared, because they take a minute to build."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings


def pytest_configure(config: pytest.Config) -> None:
    """Workers of pytest-xdist are started deaf to Ctrl-C, and many tests press it."""
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, signal.default_int_handler)


settings.register_profile("workbench", deadline=None)  # no test asserts a time, least of all on a busy machine
settings.load_profile("workbench")


@pytest.fixture(scope="session")
def shared_envs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder all tests build their environments in; ``WORKBENCH_TEST_ENVS`` keeps it between runs."""
    kept = os.environ.get("WORKBENCH_TEST_ENVS")
    return Path(kept) if kept else tmp_path_factory.getbasetemp().parent / "workbench-test-envs"


@pytest.fixture
def home(tmp_path: Path, shared_envs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty ``WORKBENCH_HOME``; whatever a test leaves running is ended."""
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    monkeypatch.setenv("WORKBENCH_ENV_DIR", str(shared_envs))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield folder
    from workbench.runtime.work import jobs

    jobs.end_all()


@pytest.fixture(scope="module")
def module_home(tmp_path_factory: pytest.TempPathFactory, shared_envs: Path) -> Iterator[Path]:
    """A ``WORKBENCH_HOME`` for all tests of a file, so that they can share deployments."""
    folder = tmp_path_factory.mktemp("module") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("WORKBENCH_HOME", folder), ("WORKBENCH_ENV_DIR", shared_envs), ("OMP_NUM_THREADS", "1")):
            patch.setenv(name, str(value))
        yield folder
        from workbench.runtime.work import jobs

        jobs.end_all()
