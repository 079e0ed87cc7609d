"""Where keys come from, in which order, and that they stay unseen."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from rich.pretty import pretty_repr

from workbench.core.endpoints import Endpoint
from workbench.errors import ArgumentError, AuthenticationFailed, SettingsError
from workbench.providers import catalog
from workbench.runtime.secrets import held_keys, key_table, keyring_store, keys
from workbench.runtime.secrets.keys import Secret

OPENAI = Endpoint("https://x", "m", key_ref="provider:openai:llm", source="openai")


class MemoryKeyring(KeyringBackend):
    """A keyring of the real interface that keeps nothing after the test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before, mine = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(mine)
    keyring_store._seen.clear()
    yield mine
    keyring.set_keyring(before)
    keyring_store._seen.clear()


@pytest.fixture(autouse=True)
def nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key anywhere, and a working folder without .env."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for provider in catalog.every():
        for part in provider.key_variables:
            for name in keys.variables(provider, part):
                monkeypatch.delenv(name, raising=False)


def test_the_order_is_workbench_vendor_lazyllm_dotenv_keyring(monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring) -> None:
    keyring_store.put("openai", "of-keyring")
    Path(".env").write_text("OPENAI_API_KEY=of-dotenv\n")
    for variable, value in [("LAZYLLM_OPENAI_API_KEY", "of-lazyllm"), ("OPENAI_API_KEY", "of-vendor"), ("WORKBENCH_OPENAI_API_KEY", "of-workbench")]:
        monkeypatch.setenv(variable, value)
    seen = [str(keys.credentials_of(OPENAI)["key"])]
    for variable in ["WORKBENCH_OPENAI_API_KEY", "OPENAI_API_KEY", "LAZYLLM_OPENAI_API_KEY"]:
        monkeypatch.delenv(variable)
        seen.append(str(keys.credentials_of(OPENAI)["key"]))
    Path(".env").unlink()
    seen.append(str(keys.credentials_of(OPENAI)["key"]))
    assert seen == ["of-workbench", "of-vendor", "of-lazyllm", "of-dotenv", "of-keyring"]


def test_a_dotenv_is_read_without_touching_the_environment_and_a_change_is_seen() -> None:
    Path(".env").write_text("OPENAI_API_KEY='first'\nexport DEEPSEEK_API_KEY=other # a comment\n")
    assert str(keys.credentials_of(OPENAI)["key"]) == "first"
    assert "OPENAI_API_KEY" not in os.environ
    Path(".env").write_text("OPENAI_API_KEY=second-one\n")
    assert str(keys.credentials_of(OPENAI)["key"]) == "second-one"


def test_a_job_finds_the_dotenv_of_whoever_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.env").write_text("OPENAI_API_KEY=theirs\n")
    monkeypatch.setenv("WORKBENCH_DOTENV", str(tmp_path / "theirs.env"))
    assert str(keys.credentials_of(OPENAI)["key"]) == "theirs"
    Path(".env").write_text("OPENAI_API_KEY=mine\n")
    assert str(keys.credentials_of(OPENAI)["key"]) == "mine"


def test_a_supervisor_is_told_the_place_of_the_dotenv_and_not_what_is_in_it(home: Path) -> None:
    from workbench.runtime.supervision.detach import _environment

    assert "WORKBENCH_DOTENV" not in _environment(home, {})
    Path(".env").write_text("OPENAI_API_KEY=sk-marked\n")
    env = _environment(home, {})
    assert env["WORKBENCH_DOTENV"] == str(Path(".env").absolute())
    assert "sk-marked" not in repr(env)


@pytest.mark.parametrize("variable", ["LAZYLLM_CLAUDE_API_KEY", "WORKBENCH_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"])
def test_an_alias_of_the_source_names_a_variable_too(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "k")
    assert keys.has_key(catalog.provider("claude"))


def test_a_pair_may_be_two_variables_or_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    nova = catalog.provider("sensenova")
    monkeypatch.setenv("LAZYLLM_SENSENOVA_API_KEY", "ak")
    monkeypatch.setenv("LAZYLLM_SENSENOVA_SECRET_KEY", "sk")
    assert dict(keys.provider_credentials(nova)) == {"key": "ak", "secret_key": "sk"}
    monkeypatch.delenv("LAZYLLM_SENSENOVA_SECRET_KEY")
    monkeypatch.setenv("LAZYLLM_SENSENOVA_API_KEY", "ak:sk")
    assert dict(keys.provider_credentials(nova)) == {"key": "ak", "secret_key": "sk"}


def test_the_default_key_belongs_to_the_default_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAZYLLM_DEFAULT_SOURCE", "kimi")
    monkeypatch.setenv("LAZYLLM_DEFAULT_KEY", "k")
    assert keys.has_key(catalog.provider("kimi"))
    assert not keys.has_key(catalog.provider("openai"))


def test_a_missing_key_names_source_variable_and_command() -> None:
    with pytest.raises(AuthenticationFailed) as error:
        keys.credentials_of(OPENAI)
    said = str(error.value)
    assert "openai" in said
    assert "OPENAI_API_KEY" in said
    assert "workbench keys set openai" in said
    assert error.value.source == "openai"


def test_a_key_of_several_kinds_names_all_of_them() -> None:
    with pytest.raises(AuthenticationFailed, match="AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY"):
        keys.provider_credentials(catalog.provider("bedrock"))


def test_places_say_where_and_never_what(monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring) -> None:
    provider = catalog.provider("openai")
    assert str(keys.key_places(provider)[0]) == "OPENAI_API_KEY is not set"
    keyring_store.put("openai", "secret-of-ring")
    assert str(keys.key_places(provider)[0]) == "openai (keyring)"
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-env")
    assert str(keys.key_places(provider)[0]) == "OPENAI_API_KEY (environment)"
    assert "secret-of" not in repr(keys.key_places(provider))


def test_a_secret_is_itself_where_it_is_sent_and_nothing_where_it_is_shown() -> None:
    secret = Secret("sk-abcdefghijklmnopqrstuvwxyz" * 5)
    assert f"Bearer {secret}".startswith("Bearer sk-abc")
    shown = [repr(secret), repr({"k": secret}), repr([secret]), repr(secret[:10]), repr(list(secret)), pretty_repr({"k": secret}, max_string=20)]
    assert not any("abc" in text for text in shown)
    assert copy.deepcopy({"k": secret})["k"] is secret
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_given_keys_are_held_in_memory_and_taken_in_turn() -> None:
    reference = keys.hold(["first", "second"])
    assert reference.startswith("held:")
    assert keys.hold(["first", "second"]) == reference
    endpoint = Endpoint("https://x", key_ref=reference)
    assert keys.count(endpoint) == 2
    first = keys.credentials_of(endpoint)
    assert str(first["key"]) == "first"
    assert keys.rotate(endpoint, first)
    assert str(keys.credentials_of(endpoint)["key"]) == "second"
    assert keys.rotate(endpoint, first)  # a second request that failed with the first key meanwhile changes nothing
    assert str(keys.credentials_of(endpoint)["key"]) == "second"
    assert "first" not in repr(held_keys._held)


def test_one_key_is_not_rotated_and_a_lost_one_is_told() -> None:
    assert not keys.rotate(Endpoint("https://x", key_ref=keys.hold("only")), {"key": "only"})
    with pytest.raises(AuthenticationFailed, match="in no file"):
        keys.credentials_of(Endpoint("https://x", key_ref="held:gone"))


@pytest.mark.parametrize("given", ["", "  ", [], ["a", ""], {"key": ""}, {"key": 3}, 3])
def test_a_key_that_is_none_is_refused(given: object) -> None:
    with pytest.raises((ArgumentError, TypeError)):
        keys.hold(given)  # type: ignore[arg-type]


def test_a_servers_words_are_masked() -> None:
    assert keys.masked("Incorrect key sk-12345678 given", {"key": "sk-12345678"}) == "Incorrect key *** given"


def test_programs_that_ask_no_vendor_get_no_keys() -> None:
    own = {"OPENAI_API_KEY": "a", "LAZYLLM_SENSENOVA_SECRET_KEY": "b", "WORKBENCH_QWEN_API_KEY": "c", "IFLYTEK_SPARK_API_SECRET": "d"}
    others = {"PATH": "/bin", "AWS_ACCESS_KEY_ID": "x", "HF_TOKEN": "y", "WANDB_API_KEY": "z"}
    assert keys.without_keys({**own, **others}) == others


def test_keeping_listing_and_forgetting(monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring) -> None:
    said = key_table.keep("sensenova", lambda question: "sk-kept", "")
    assert "sk-kept" not in said
    assert ring.kept == {("jupyter-llm-workbench", "sensenova"): "sk-kept"}
    table = key_table.key_table()
    assert "sensenova (keyring)" in repr(table)
    assert "sk-kept" not in repr(table) + table._repr_html_()
    monkeypatch.setenv("SENSENOVA_API_KEY", "x")
    assert "SENSENOVA_API_KEY (environment) goes before it" in key_table.keep("nova", lambda question: "other")
    assert "still in SENSENOVA_API_KEY" in key_table.forget("sensenova")
    assert ring.kept == {}
    assert "has no key" in key_table.forget("sensenova")


def test_every_part_of_a_key_is_asked_for(ring: MemoryKeyring) -> None:
    asked: list[str] = []
    key_table.keep("sparkdesk_socket", lambda question: asked.append(question) or "v")
    assert [q.rsplit(", ")[-1] for q in asked] == ["app_id: ", "api_key: ", "api_secret: "]
    with pytest.raises(ArgumentError, match="no key part 'nonsense'"):
        key_table.keep("openai", lambda question: "v", "nonsense")
    with pytest.raises(ArgumentError, match="empty"):
        key_table.keep("openai", lambda question: " ")


def test_a_machine_without_a_keyring_is_told_what_to_do_instead() -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        with pytest.raises(SettingsError, match="put the variable into"):
            keyring_store.put("openai", "v")
        assert keyring_store.get("openai") == ""
    finally:
        keyring.set_keyring(before)
