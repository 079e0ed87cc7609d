"""Names become parts."""

from __future__ import annotations

import json

import pytest

from workbench import registry
from workbench.errors import PluginError


def test_a_name_with_a_colon_is_the_parts_own_address() -> None:
    assert registry.get("finetune", "json:JSONDecoder.decode") is json.JSONDecoder.decode


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(PluginError, match="'local' is the nearest name"):
        registry.get("launcher", "locale")


def test_a_part_that_cannot_be_imported_warns_and_says_why() -> None:
    with pytest.warns(UserWarning, match="no_such_module"), pytest.raises(PluginError, match="no_such_module"):
        registry.get("deploy", "no_such_module:Engine")
