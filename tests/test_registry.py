"""Names become parts."""

from __future__ import annotations

import json

import pytest

from workbench import registry
from workbench.errors import PluginError
from workbench.modules.local.methods import known_arguments, method


def test_a_name_with_a_colon_is_the_parts_own_address() -> None:
    assert registry.get("finetune", "json:JSONDecoder.decode") is json.JSONDecoder.decode


def test_a_part_that_nobody_registered_is_no_name_of_its_group() -> None:
    """Else every later deploy_method(wb.deploy.auto, …) asked it for its arguments."""
    assert registry.get("deploy", "scripted_backends:Scripted").name == "scripted"
    assert "scripted_backends:Scripted" not in registry.names("deploy")
    assert "n_ctx" in known_arguments(method("deploy", "auto", {}))


def test_a_backend_of_a_plugin_may_tell_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._loaded, ("deploy", "of_a_plugin"), registry.get("deploy", "scripted_backends:Scripted"))
    assert "n_ctx" in known_arguments(method("deploy", "auto", {}))


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(PluginError, match="'local' is the nearest name"):
        registry.get("launcher", "locale")


def test_a_part_that_cannot_be_imported_warns_and_says_why() -> None:
    with pytest.warns(UserWarning, match="no_such_module"), pytest.raises(PluginError, match="no_such_module"):
        registry.get("deploy", "no_such_module:Engine")
