"""What pip was told counts for uv, in pip's own order of places."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.envs import pip_settings, torch_variant
from workbench.errors import SettingsError


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """A user whose home has no configuration, and whose machine's is out of the way."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture(autouse=True)
def no_machine_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the machine's file nor the interpreter's counts here; what stays is what the test writes."""
    files = pip_settings.config_files
    monkeypatch.setattr(pip_settings, "config_files", lambda env: [p for p in files(env) if tmp_path in p.parents])


def write(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config/pip/pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_nothing_configured_leaves_uv_alone(user: dict[str, str]) -> None:
    assert pip_settings.uv_variables(user) == {"UV_PYTHON_DOWNLOADS": "never"}
    assert not pip_settings.chooses_packages(pip_settings.read(user))


def test_indexes_links_proxy_and_certificate_are_translated(user: dict[str, str], tmp_path: Path) -> None:
    write(
        tmp_path,
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n  https://a.example/simple\n  https://b.example/simple\n"
        "find-links = /wheels\n  /more\ntrusted-host = a.example b.example\nproxy = http://proxy:3128\ncert = ~/ca.pem\ntimeout = 90\nretries = 7\n",
    )
    found = pip_settings.uv_variables(user)
    assert found == {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_EXTRA_INDEX_URL": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "a.example b.example",
        "HTTPS_PROXY": "http://proxy:3128",
        "HTTP_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": os.path.expanduser("~/ca.pem"),
        "UV_HTTP_TIMEOUT": "90",
        "UV_HTTP_RETRIES": "7",
    }
    assert pip_settings.chooses_packages(pip_settings.read(user))


def test_the_section_install_and_then_a_variable_come_before_the_global_section(user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, "[global]\nindex-url = https://one.example\n[install]\nindex-url = https://two.example\n")
    assert pip_settings.uv_variables(user)["UV_DEFAULT_INDEX"] == "https://two.example"
    user["PIP_INDEX_URL"] = "https://three.example"
    assert pip_settings.uv_variables(user)["UV_DEFAULT_INDEX"] == "https://three.example"


def test_a_named_file_comes_last_and_devnull_means_none(user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, "[global]\nfind-links = /one\n")
    other = tmp_path / "other.conf"
    other.write_text("[global]\nfind-links = /two\n")
    assert pip_settings.read({**user, "PIP_CONFIG_FILE": str(other)})["find-links"] == "/two"
    assert "find-links" not in pip_settings.read({**user, "PIP_CONFIG_FILE": os.devnull})


def test_what_the_user_told_uv_itself_stays(user: dict[str, str]) -> None:
    told = {**user, "PIP_INDEX_URL": "https://pip.example", "UV_INDEX_URL": "https://uv.example", "PIP_FIND_LINKS": "/a", "UV_FIND_LINKS": "/b"}
    found = pip_settings.uv_variables(told)
    assert "UV_DEFAULT_INDEX" not in found
    assert "UV_FIND_LINKS" not in found


def test_a_broken_file_does_not_stop_anything(user: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, "this is no configuration")
    assert pip_settings.uv_variables(user) == {"UV_PYTHON_DOWNLOADS": "never"}


def test_names_and_passwords_in_addresses_are_not_shown() -> None:
    assert pip_settings.redact("from https://me:secret@host.example/simple x") == "from https://***@host.example/simple x"


@pytest.mark.parametrize(
    ("setting", "requirement", "backend"),
    [("cpu", "torch==2.13.0", "cpu"), ("cu128", "torch==2.13.0", "cu128"), ("2.12.0", "torch==2.12.0", ""), ("2.12.0+cpu", "torch==2.12.0+cpu", "")],
)
def test_a_torch_that_the_user_chose_is_taken(setting: str, requirement: str, backend: str) -> None:
    choice = torch_variant.choose(setting)
    assert (choice.requirement, choice.backend) == (requirement, backend)


def test_a_torch_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="names no build of torch"):
        torch_variant.choose("fast")


@pytest.mark.parametrize(("cuda", "backend"), [(None, "cpu"), (12, "auto"), (13, "")])
def test_auto_looks_at_the_gpu_unless_pip_knows_where_packages_come_from(cuda: int | None, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_variant.sys, "platform", "linux")
    monkeypatch.setattr(torch_variant, "driver_cuda", lambda: cuda)
    monkeypatch.setattr(torch_variant.pip_settings, "read", dict)
    assert torch_variant.choose("auto").backend == backend
    monkeypatch.setattr(torch_variant.pip_settings, "read", lambda: {"find-links": "/wheels"})
    assert torch_variant.choose("auto").backend == ""
