"""A home that several tests of one file share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.runtime.work import jobs


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for servers that several tests only call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("shared") / "home"))
        patch.setenv("SERVED_API_KEY", "sk-hidden-in-the-environment")
        yield Path(os.environ["WORKBENCH_HOME"])
        jobs.end_all()
