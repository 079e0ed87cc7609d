"""The table of engines in the documentation: what it says is proven is proven by a test that exists, and the page shows the data."""

from __future__ import annotations

import engine_table
import pytest

from workbench import registry

CELLS = [
    (engine, column, cell)
    for engine, cells in engine_table.data().items()
    for column, cell in cells.items()
    if cell not in ("", engine_table.NOT_TRIED)
]


def test_every_engine_has_a_row() -> None:
    assert set(engine_table.data()) == set(registry.BUILTIN["deploy"]) - {"dummy", "function"}
    assert {column for cells in engine_table.data().values() for column in cells} <= set(engine_table.COLUMNS)


@pytest.mark.parametrize(("engine", "column", "cell"), CELLS, ids=lambda part: part.rpartition("::")[2])
def test_what_is_proven_is_proven_by_a_test_that_exists(engine: str, column: str, cell: str) -> None:
    file, _, test = cell.removeprefix(engine_table.BY_HAND).partition("::")
    assert test in engine_table.tests_in(engine_table.ROOT / file)
    assert cell.startswith(engine_table.BY_HAND) == file.endswith("_peers_real.py"), "tests of that file run only where the engine is installed"


def test_the_page_shows_exactly_the_data() -> None:
    assert engine_table.on_the_page() == engine_table.table(), "python tests/support/engine_table.py writes it"
