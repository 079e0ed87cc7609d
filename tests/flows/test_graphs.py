"""graph."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench import graph, package, pipeline


def seen(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def made() -> graph:
    with graph() as g:
        g.a = lambda x: x * 2
        g.b = lambda x: x + 1
        g.c = lambda x, y: (x, y)
    return g


def test_inputs_come_in_the_order_of_the_edges() -> None:
    g = made()
    g.add_edge(g.start_node_name, ["a", "b"])
    g.add_edge("b", "c")
    g.add_edge(g.a, g._nodes["c"])
    g.add_edge("c", g.end_node)
    assert g(5) == (6, 10)
    assert [n.name for n in g.topological_sort()] == ["__start__", "a", "b", "c", "__end__"]


def test_edges_of_lists() -> None:
    with graph() as g:
        g.t1 = lambda x: f"1 get {x};"
        g.t2 = lambda x: f"2 get {x};"
        g.t3 = lambda x: f"3 get {x};"
        g.add = lambda x, y: x + y
        g.concat = lambda x, y: [x, y]
    g.add_edge(g.start_node_name, ["t1", "t2", "t3"])
    g.add_edge(["t1", "t2"], "add")
    g.add_edge(["add", "t3"], "concat")
    g.add_edge("concat", g.end_node_name)
    assert g(1) == ["1 get 1;2 get 1;", "3 get 1;"]


def test_nodes_that_do_not_wait_for_each_other_run_side_by_side() -> None:
    meet = threading.Barrier(2)
    with graph() as g:
        g.a = lambda x: meet.wait(10)
        g.b = lambda x: meet.wait(10)
        g.c = lambda x, y: {x, y}
        g.add_edge("__start__", ["a", "b"])
        g.add_edge(["a", "b"], "c")
        g.add_edge("c", "__end__")
    assert g(1) == {0, 1}


def test_a_node_runs_as_soon_as_its_own_inputs_are_there() -> None:
    late = threading.Event()
    with graph() as g:
        g.slow = lambda x: late.wait(10)
        g.quick = lambda x: x
        g.after_quick = lambda x: late.set()
        g.add_edge("__start__", ["slow", "quick"])
        g.add_edge("quick", "after_quick")
        g.add_edge(["slow", "after_quick"], "__end__")
    assert g(1) == (True, None)


def test_constants_formatters_packages_and_keywords() -> None:
    g2 = graph(node=seen)
    g2.add_edge("__start__", "node", formatter=lambda x: x + 1)
    g2.add_const_edge(9, "node")
    g2.add_const_edge(package(7, 8), ["node"])
    g2.add_edge("node", "__end__")
    assert g2(1) == ((2, 9, 7, 8), {})
    g2.set_node_arg_name([["p", "q"]])
    assert g2(1) == ((7, 8), {"p": 2, "q": 9})


def test_the_input_of_the_graph_is_spread_with_its_keywords() -> None:
    with graph() as g:
        g.a = seen
        g.add_edge("__start__", "a")
        g.add_edge("a", "__end__")
    assert g(1, 2, k=3) == ((1, 2), {"k": 3})
    assert g(package(1, 2)) == ((1, 2), {})
    assert g((1, 2)) == (((1, 2),), {})


def test_nodes_without_edges_do_not_run_and_side_branches_do() -> None:
    ran: list[str] = []
    with graph() as g:
        g.a = lambda x: x
        g.alone = lambda x: ran.append("alone")
        g.aside = lambda x: ran.append("aside")
        g.add_edge("__start__", ["a", "aside"])
        g.add_edge("a", "__end__")
    assert g(1) == 1
    assert ran == ["aside"]


def test_mistakes_are_named() -> None:
    g = made()
    g.add_edge("a", "b")
    with pytest.raises(AssertionError, match="Duplicate edges from a to b"):
        g.add_edge("a", "b")
    with pytest.raises(wb.errors.FlowArgumentError, match="no node 'q'"):
        g.add_edge("q", "b")
    with pytest.raises(wb.errors.FlowArgumentError, match="no edge from b to __start__"):
        g.add_edge("b", "__start__")
    with pytest.raises(wb.errors.FlowError, match="returns nothing"):
        g(1)
    g.add_edge("b", "a")
    g.add_edge("b", "__end__")
    with pytest.raises(ValueError, match="Graph has a cycle") as caught:
        g.topological_sort()
    assert "a → b → a" in str(caught.value)
    with pytest.raises(ValueError, match="Graph has a cycle"):
        g(1)
    with pytest.raises(wb.errors.FlowArgumentError, match="1 lists of names for 3 nodes"):
        g.set_node_arg_name([["x"]])


def test_a_failing_node_is_named_and_nothing_behind_it_runs() -> None:
    ran: list[str] = []
    with graph() as g:
        g.bad = lambda x: 1 / x
        g.after = lambda x: ran.append("after")
        g.add_edge("__start__", "bad")
        g.add_edge("bad", "after")
        g.add_edge("after", "__end__")
    with pytest.raises(ZeroDivisionError) as caught:
        g(0)
    assert caught.value.__notes__ == ["In graph 'g' → node 'bad'."]
    assert ran == []


def test_edges_may_be_added_after_a_call() -> None:
    g = made()
    g.add_edge("__start__", "a")
    g.add_edge("a", "__end__")
    assert g(1) == 2
    g.add_edge("__start__", "b")
    g.add_edge("b", "__end__")
    assert g(1) == (2, 2)
    assert pipeline(g, seen)(1) == ((2, 2), {})


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))))
def test_any_graph_without_cycles_computes_what_its_nodes_say(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    n, pairs = drawn
    edges = sorted((a, b) for a, b in pairs if a < b)
    g = graph(**{f"n{i}": (lambda *xs, i=i: i + sum(xs)) for i in range(n)})
    for i in range(n):
        g.add_edge("__start__", f"n{i}")
    for a, b in edges:
        g.add_edge(f"n{a}", f"n{b}")
    for i in range(n):
        g.add_edge(f"n{i}", "__end__")
    expected: list[int] = []
    for i in range(n):
        expected.append(i + 1 + sum(expected[a] for a, b in edges if b == i))
    result = g(1)
    assert (list(result) if n > 1 else [result]) == expected
