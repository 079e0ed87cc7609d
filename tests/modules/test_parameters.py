"""What a call may carry: names that are known, schemas as people have them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from workbench.errors import ArgumentError
from workbench.modules import parameters


class City(BaseModel):
    name: str


class Trip(BaseModel):
    cities: list[City]
    days: int = 1


CITY = {"properties": {"name": {"title": "Name", "type": "string"}}, "required": ["name"], "title": "City", "type": "object"}
CLOSED = {**CITY, "additionalProperties": False}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"response_format": City}, {"response_format": {"type": "json_schema", "json_schema": {"name": "City", "schema": CLOSED, "strict": True}}}),
        ({"response_format": CITY}, {"response_format": {"type": "json_schema", "json_schema": {"name": "City", "schema": CITY}}}),
        ({"response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": City}}},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": CLOSED}}},
        ),
        ({"structured_outputs": {"json": City}}, {"structured_outputs": {"json": CLOSED}}),
        ({"guided_json": City, "extra_body": {"json_schema": City}}, {"guided_json": CLOSED, "json_schema": CLOSED}),
    ],
)
def test_a_pydantic_model_or_a_bare_schema_is_sent_in_the_form_that_servers_know(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert parameters.check(given) == sent


def test_a_model_with_defaults_is_closed_at_every_depth_and_not_called_strict() -> None:
    form = parameters.check({"response_format": Trip})["response_format"]["json_schema"]
    assert "strict" not in form  # OpenAI asks for every field then
    assert form["schema"]["additionalProperties"] is False
    assert form["schema"]["$defs"]["City"]["additionalProperties"] is False


def test_another_class_is_no_schema() -> None:
    with pytest.raises(ArgumentError, match="int is no schema"):
        parameters.check({"response_format": int})
