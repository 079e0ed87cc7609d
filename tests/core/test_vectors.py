"""Vectors and rankings: lists to every program, short in a notebook."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from IPython.lib.pretty import pretty

from workbench.core.media import Media
from workbench.core.vectors import Ranked, Vector, VectorList
from workbench.core.wire import dumps

NUMBERS = [0.5, -0.25, 3e-5, 1.0, 2.0]
MANY = [Vector([float(i), 0.0]) for i in range(7)]
LISTS = [
    pytest.param(Vector(NUMBERS), NUMBERS, id="vector"),
    pytest.param(VectorList(MANY), [[float(i), 0.0] for i in range(7)], id="vectors"),
    pytest.param(Ranked([(1, 0.9), (0, 0.1)], ["a", "b"]), [(1, 0.9), (0, 0.1)], id="ranking"),
]


@pytest.mark.parametrize(("special", "plain"), LISTS)
def test_it_is_the_list_to_every_program(special: list[object], plain: list[object]) -> None:
    assert isinstance(special, list)
    assert special == plain
    assert repr(special) == repr(plain)
    assert json.dumps(special) == json.dumps(plain)
    assert dumps(special) == dumps(plain)
    assert np.array_equal(np.array(special), np.array(plain))
    assert type(special[:2]) is list
    for again in (pickle.loads(pickle.dumps(special)), copy.copy(special), copy.deepcopy(special)):
        assert type(again) is list
        assert again == plain
    assert not hasattr(special, "__dict__")


def test_a_vector_shows_its_length_its_norm_and_its_first_numbers() -> None:
    assert pretty(Vector(NUMBERS)) == "[0.5000, -0.2500, 3e-05, 1.0000, …]  5 numbers, norm 2.3049"
    assert pretty({"a": Vector([1.0])}) == "{'a': [1.0000]  1 numbers, norm 1.0000}"
    assert pretty(Vector(NUMBERS)[:3]) == "[0.5, -0.25, 3e-05]"


def test_vectors_show_how_many_they_are_and_the_first() -> None:
    lines = pretty(VectorList(MANY)).splitlines()
    assert lines[0] == "7 vectors of 2 numbers"
    assert lines[2] == "  [1.0000, 0.0000]  norm 1.0000"
    assert lines[-1] == "  … 2 more"
    assert len(lines) == 7
    assert pretty(VectorList()) == "[]"
    mixed = pretty(VectorList([{7: 0.5}, Vector([1.0]), [Vector([1.0, 0.0])] * 3]))
    assert mixed.splitlines() == ["3 vectors", "  {7: 0.5000}  1 weights", "  [1.0000]  1 numbers, norm 1.0000", "  3 vectors of 2 numbers"]


def test_a_ranking_shows_the_documents_beside_the_scores() -> None:
    documents = ["first\nof all", {"text": "a shoe", "image": Media("image", "image/png", name="shoe.png")}, "word " * 100]
    ranked = Ranked([(2, 0.91), (1, 0.5), (0, -3.5e-5)], documents)
    lines = pretty(ranked).splitlines()
    assert lines[0].startswith(" 0.9100  [2]  word word")
    assert lines[0].endswith("…")
    assert lines[1:] == [" 0.5000  [1]  a shoe <image shoe.png>", "-3.5e-05  [0]  first of all"]
    ranked.append((7, 0.0))
    assert pretty(ranked) == repr(ranked)
    assert pretty(Ranked([(0, 1.0)])) == "[(0, 1.0)]"
