"""Imports point down and leaves never import each other (ARCHITECTURE.md, "Layers"), read from the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "workbench"
GROUND = ["errors", "log_excerpt", "short_traceback", "settings", "registry", "callable_module"]
LEAVES = ["dialects", "providers", "finetune", "deploy", "launchers", "envs", "store", "data", "pocket"]
MODELS = ["modules", "flows", "prompts", "formatters", "evals", "tools", "structured", "sql", "gateway"]
TOP = ["widgets", "server", "magics", "cli"]
LEVEL = {name: level for level, names in enumerate([GROUND, ["core"], LEAVES, ["runtime"], MODELS, TOP]) for name in names}
SERVER_SEES = {*GROUND, "core", "store", "runtime", "server"}


def imports() -> Iterator[tuple[str, str, str]]:
    """(importing part, imported part, place) for every import inside the package, those inside functions included."""
    for file in ROOT.rglob("*.py"):
        relative = file.relative_to(ROOT)
        package = ["workbench", *relative.parent.parts]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for target in _targets(node, package):
                if target[0] == "workbench" and len(target) > 1:
                    yield relative.parts[0].removesuffix(".py"), target[1], f"{relative}:{getattr(node, 'lineno', 0)}"


def _targets(node: ast.AST, package: list[str]) -> list[list[str]]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".") for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = package[: len(package) - node.level + 1] if node.level else []
    path = base + (node.module.split(".") if node.module else [])
    return [path] if path != ["workbench"] else [[*path, alias.name] for alias in node.names]


IMPORTS = sorted({i for i in imports() if i[0] not in ("__init__", i[1])})


def test_every_part_has_its_layer() -> None:
    parts = {p.stem if p.is_file() else p.name for p in ROOT.iterdir() if p.suffix == ".py" or (p.is_dir() and any(p.rglob("*.py")))}
    assert parts - set(LEVEL) - {"__init__", "__main__", "runners"} == set()


def test_imports_point_down() -> None:
    wrong = [
        f"{place}: {above} imports {below}" for above, below, place in IMPORTS if above != "runners" and LEVEL.get(below, 0) > LEVEL.get(above, 9)
    ]
    assert wrong == []


def test_leaves_and_top_parts_do_not_import_each_other() -> None:
    level = [LEAVES, TOP]
    wrong = [f"{place}: {a} imports {b}" for a, b, place in IMPORTS for names in level if a in names and b in names]
    assert wrong == []


def test_the_server_sees_only_store_core_and_runtime() -> None:
    assert [f"{place}: {b}" for a, b, place in IMPORTS if a == "server" and b not in SERVER_SEES] == []


@pytest.mark.parametrize("part", ["core", "runners"])
def test_core_and_runners_need_the_standard_library_only(part: str) -> None:
    """A runner may import its backend, but inside a function: it reports what is missing there."""
    files = list((ROOT / part).glob("*.py"))
    allowed = {"workbench", *sys.stdlib_module_names} | ({f.stem for f in files} if part == "runners" else set())
    found = {
        f"{file.name}:{node.lineno}: {target[0]}"
        for file in files
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0)
        for target in _targets(node, [])
        if target[0] not in allowed
    }
    assert found == set()
