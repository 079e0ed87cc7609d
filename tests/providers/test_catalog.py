"""Vendors are data: files that ship, files of the user's, entry points, and what a session adds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import workbench as wb
from workbench import registry
from workbench.core.providers import Capability, Provider
from workbench.errors import ArgumentError, DataError
from workbench.providers import catalog, reading

FIVE = """
url = "https://llm.acme.example/v1"
keys.key = ["ACME_API_KEY"]
prefixes = ["acme-"]
llm.model = "acme-large"
embed.model = "acme-embed"
"""


@pytest.fixture
def folder(home: Path) -> Path:
    path = home / "providers"
    path.mkdir(parents=True)
    return path


@pytest.fixture(autouse=True)
def forgotten() -> object:
    """What a test registers is gone after it."""
    yield
    catalog._registered.clear()
    catalog._made.clear()
    catalog._names = None


def test_every_shipped_file_can_be_read_and_names_where_it_is_from() -> None:
    shipped = catalog.shipped()
    assert len(shipped) >= 28
    for name in shipped:
        provider = catalog.provider(name)
        assert provider.docs.startswith("https://"), name
        assert provider.capabilities, name
        for type_, capability in provider.capabilities.items():
            group = "dialect" if type_ in ("llm", "vlm") else "codec"
            assert capability.codec in registry.names(group), (name, type_)
            registry.get(group, capability.codec)(capability.options)  # the codec knows the form
            for auth in filter(None, [provider.auth, capability.auth]):
                assert auth in registry.names("auth")


def test_names_and_aliases_are_nobody_elses() -> None:
    seen: dict[str, str] = {}
    for provider in catalog.every():
        for name in (provider.name, *provider.aliases):
            assert seen.setdefault(name.lower(), provider.name) == provider.name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("claude", "anthropic"),
        ("zhipu", "glm"),
        ("moonshot", "kimi"),
        ("dashscope", "qwen"),
        ("volcengine", "doubao"),
        ("lmstudio", "lm_studio"),
        ("azure", "azure_openai"),
        ("aws", "bedrock"),
        ("spark", "sparkdesk"),
        ("OpenAI", "openai"),
    ],
)
def test_an_alias_finds_its_vendor(alias: str, name: str) -> None:
    assert catalog.provider(alias).name == name


def test_only_the_asked_vendors_file_is_read() -> None:
    catalog._made.clear()
    catalog.provider("openai")
    assert list(catalog._made) == ["openai"]


def test_an_unknown_source_names_the_nearest_and_the_choices() -> None:
    with pytest.raises(ArgumentError, match="Unsupported source: 'opnai'") as error:
        catalog.provider("opnai")
    assert "'openai' is the nearest name" in str(error.value)
    assert "qwen" in str(error.value)


def test_five_lines_add_a_vendor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "acme.toml").write_text(FIVE)
    monkeypatch.setenv("ACME_API_KEY", "k")
    m = wb.OnlineModule("acme-small")
    assert (m.source, m.endpoint.url, m.endpoint.dialect) == ("acme", "https://llm.acme.example/v1", "openai_chat")
    assert wb.OnlineModule("acme").model == "acme-large"
    assert "acme" in repr(wb.providers())


def test_a_file_of_a_builtins_name_changes_only_what_it_says(folder: Path) -> None:
    before = catalog.provider("openai")
    (folder / "openai.toml").write_text('llm.model = "gpt-mine"\nhost = ""\n'.replace('host = ""\n', ""))
    after = catalog.provider("openai")
    assert after.capabilities["llm"].default_model == "gpt-mine"
    assert after.capabilities["llm"].models == before.capabilities["llm"].models
    assert after.capabilities["embed"] == before.capabilities["embed"]
    (folder / "openai.toml").unlink()
    assert catalog.provider("openai") == before


def test_another_account_is_two_lines(folder: Path) -> None:
    (folder / "qwen_intl.toml").write_text('like = "qwen"\nplaces.host.default = "dashscope-intl.aliyuncs.com"\nkeys.key = ["INTL_KEY"]\n')
    intl = catalog.provider("qwen_intl")
    assert intl.places["host"].default == "dashscope-intl.aliyuncs.com"
    assert intl.capabilities["rerank"].options == catalog.provider("qwen").capabilities["rerank"].options
    assert intl.key_variables["key"] == ("INTL_KEY",)
    assert catalog.provider("dashscope").name == "qwen"


def test_a_change_of_a_file_is_seen(folder: Path) -> None:
    path = folder / "acme.toml"
    path.write_text(FIVE)
    assert catalog.provider("acme").capabilities["llm"].default_model == "acme-large"
    path.write_text(FIVE.replace("acme-large", "acme-huge"))
    import os

    os.utime(path, (time.time() + 5, time.time() + 5))
    assert catalog.provider("acme").capabilities["llm"].default_model == "acme-huge"


def test_a_broken_file_warns_and_breaks_no_other_vendor(folder: Path) -> None:
    (folder / "broken.toml").write_text("url = ")
    with pytest.raises(DataError, match=r"broken\.toml cannot be read"):
        catalog.provider("broken")
    with pytest.warns(UserWarning, match="broken"):
        assert "openai" in {p.name for p in catalog.every()}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"url": "https://x", "ulr": 1}, "ulr"),
        ({}, "no address"),
        ({"url": "https://x", "llm": {"modle": "m"}}, "modle"),
        ({"url": "https://x", "aliases": 3}, "aliases cannot be 3"),
        ({"url": "https://x", "confidence": "sure"}, "confidence"),
        ({"url": "https://x", "llm": "m"}, "llm cannot be 'm'"),
        ({"url": "https://x", "rank": "first"}, "rank"),
        ({"url": "https://x", "key_sets": ["key"]}, "key_sets"),
        ({"url": "https://x", "llm": {"when": {}}}, "when"),
    ],
)
def test_facts_that_cannot_be_are_refused_with_their_name(facts: dict[str, object], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        reading.provider_of("acme", facts, "the provider 'acme'")


def test_a_session_can_register_a_vendor_and_a_bad_one_leaves_nothing() -> None:
    wb.register_provider("acme", url="https://llm.acme.example/v1", llm={"model": "acme-large"})
    assert catalog.provider("acme").key_sets == ()
    with pytest.raises(ArgumentError):
        wb.register_provider("acme", url="https://x", nonsense=1)
    assert catalog.provider("acme").url == "https://llm.acme.example/v1"
    with pytest.raises(ArgumentError, match="cannot be called"):
        wb.register_provider("a b", url="https://x")


def test_a_plugin_gives_a_provider_object() -> None:
    registry.register("provider", "plug", Provider("plug", "Plug", "https://plug.example/v1", capabilities={"llm": Capability("openai_chat")}))
    try:
        assert catalog.provider("plug").title == "Plug"
        assert "plug" in catalog.names()
    finally:
        registry._loaded.pop(("provider", "plug"))


def test_an_account_of_another_kind_has_another_address() -> None:
    nova = catalog.provider("sensenova")
    assert nova.for_key({"key"}).url == "https://token.sensenova.cn/v1"
    assert nova.for_key({"key", "secret_key"}).url == "https://api.sensenova.cn/compatible-mode/v1"


def test_a_family_of_models_has_its_own_form() -> None:
    stt = catalog.provider("qwen").capabilities["stt"]
    assert stt.for_model("qwen3-asr-flash").options["form"] == "chat"
    assert stt.for_model("paraformer-v2").options["form"] == "dashscope_task"
    assert stt.for_model("Paraformer-V2").url == "https://{host}/api/v1"


def test_the_table_shows_types_models_places_of_keys_and_doubts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-marked-key")
    table = wb.providers()
    text, html, frame = repr(table), table._repr_html_(), table.to_pandas()
    assert "OPENAI_API_KEY (environment)" in text
    assert "unconfirmed" in text
    assert "text-embedding-3-small" in html
    assert {"source", "type", "model", "key", "ready", "confidence"} <= set(frame.columns)
    assert frame[(frame.source == "openai") & (frame.type == "embed")].model.item() == "text-embedding-3-small"
    assert not any("sk-marked-key" in shown for shown in (text, html, frame.to_csv()))
