"""The with form, names, the tree, hooks, pictures, pickling."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar

import cloudpickle
import pytest

import workbench as wb
from workbench import ActionModule, _0, bind, diverter, graph, ifs, loop, parallel, pipeline, switch, warp


def f1(input: Any, input2: Any = 0) -> Any:
    return input + input2 + 1


def f2(input: Any) -> Any:
    return input + 3


def f3(input: Any) -> str:
    return f"f3-{input}"


def f4(in1: Any, in2: Any, in3: Any) -> str:
    return f"get [{in1}], [{in2}], [{in3}]"


class Echo(wb.ModuleBase):
    """A module that counts its starts."""

    started = 0

    def forward(self, x: Any) -> Any:
        return x

    def _deploy(self) -> None:
        self.started += 1


class Hook:
    seen: ClassVar[list[Any]] = []

    def pre_hook(self, *args: Any, **kwargs: Any) -> None:
        self.seen.append(("pre", args, kwargs))

    def post_hook(self, output: Any) -> None:
        self.seen.append(("post", output))

    def on_error(self, error: BaseException) -> None:
        self.seen.append(("error", type(error)))


def test_a_flow_inside_the_block_of_another_becomes_its_item_under_the_variables_name() -> None:
    with pipeline() as p:
        p.first = f1
        with parallel() as sub:
            sub.a = f2
            with pipeline() as sub.b:
                sub.b.x = f2
        p.last = lambda a, b: a + b
    assert p._item_names == ["first", "sub", "last"]
    assert p(1) == 10


def test_a_flow_made_elsewhere_in_the_block_does_not_become_an_item() -> None:
    def helper() -> Any:
        with pipeline() as inner:
            inner.x = f2
        return inner

    with pipeline() as p:
        p.first = helper()
    assert p._item_names == ["first"]
    assert p(1) == 4


def test_names_of_a_block_are_captured_also_when_it_runs_again() -> None:
    def cell() -> Any:
        with pipeline(auto_capture=True) as p:
            p1 = f1
            p2 = f2
            p3 = f3
            p4 = f4 | bind(p.input, _0, in3=p2)
        return p, (p1, p3, p4)

    assert cell()[0](1) == "get [1], [f3-5], [5]"
    space: dict[str, Any] = {"pipeline": pipeline, "f1": f1, "f2": f2}
    code = compile("with pipeline(auto_capture=True) as p:\n    a = f1\n    b = f2\n    n = 3\nafter = f2", "cell", "exec")
    for _ in range(2):
        exec(code, space)
        assert space["p"]._item_names == ["a", "b"]


@pytest.mark.parametrize("make", [pipeline, parallel, diverter, warp, lambda: loop(count=2), graph])
def test_every_flow_has_a_with_form(make: Any) -> None:
    with make() as flow:
        flow.f1 = f1
    assert flow.f1(1) == 2
    assert flow._item_names == ["f1"]


def test_items_are_set_in_the_block_once_and_with_names_of_their_own() -> None:
    def twice() -> None:
        with pipeline() as p:
            p.a = f1
            p.a = f2

    with pytest.raises(AssertionError, match="Duplicated name: a"):
        twice()
    with pipeline() as p:
        p.a = f1
    with pytest.raises(RuntimeError, match="complete"):
        p.b = f2
    with pytest.raises(AssertionError, match="has items already"), p:
        pass
    with pytest.raises(AssertionError, match="cannot be called 'input'"), pipeline() as p:
        p.input = f2
    with pytest.raises(AssertionError, match="cannot be called 'wait'"):
        pipeline(wait=f1)


@pytest.mark.parametrize("item", [5, None, "f1", {"a": 1}, _0])
def test_what_cannot_be_called_is_no_item(item: Any) -> None:
    with pytest.raises(wb.errors.FlowArgumentError, match="cannot be called"):
        pipeline(f1, item)
    with pytest.raises(wb.errors.FlowArgumentError, match="Item 'x' of this pipeline cannot be called"):
        pipeline(x=item)


def test_items_with_and_without_names_do_not_mix() -> None:
    with pytest.raises(AssertionError, match="Cannot provide args and kwargs at the same time"):
        pipeline(f1, a=f2)


def test_a_name_that_is_not_there_is_an_attribute_error_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'retriever'"):
        pipeline(retriever=f1).retriver  # noqa: B018
    assert not hasattr(pipeline(), "__len__")


def test_an_error_in_the_block_leaves_nothing_open() -> None:
    with pytest.raises(ZeroDivisionError), pipeline() as p:
        p.a = 1 / 0  # type: ignore[assignment]
    with pipeline() as q:
        q.a = f1
    assert q.is_root
    assert q(1) == 2


def test_roots_ancestors_and_ids() -> None:
    inner = pipeline(a=f1)
    assert inner.is_root
    middle = parallel(inner | bind(_0))
    outer = pipeline(middle)
    assert not inner.is_root
    assert inner.ancestor is middle.ancestor is outer
    assert outer.is_root
    assert outer.id() == outer.flow_id != inner.flow_id
    assert (inner.id("x"), inner.id(inner.a), outer.id(middle)) == ("x", "a", "0")
    with pytest.raises(wb.errors.FlowArgumentError, match="no item"):
        outer.id(f1)


def test_for_each_sees_every_item_of_every_flow() -> None:
    seen: list[str] = []
    flow = pipeline(f1, parallel(f2, ifs(True, f3, f1)), switch({1: f2}), f3 | bind(_0))
    flow.for_each(lambda item: hasattr(item, "__name__"), lambda item: seen.append(item.__name__))
    assert seen == ["f1", "f2", "f3", "f1", "f2", "f3"]


def test_modules_are_found_wherever_they_stand_and_each_once() -> None:
    a, b, c, d, e, f, g = (Echo() for _ in range(7))
    flow = pipeline(
        a,
        parallel(b | bind(_0), pipeline(a, c)),
        switch({d: f1}, conversion=e),
        bind(f4, f, _0),
        f1,
        post_action=g.forward,
    )
    assert set(flow.held_modules()) == {a, b, c, d, e, f, g}
    assert len(flow.held_modules()) == 7
    assert loop(f1, stop_condition=a).held_modules() == [a]
    assert ifs(a, b, c).held_modules() == [b, c, a]
    with graph() as gr:
        gr.n = a
    assert gr.held_modules() == [a]


def test_starting_a_flow_starts_its_modules() -> None:
    a, b = Echo(), Echo()
    flow = pipeline(a, parallel(b, f1))
    assert flow.start() is flow
    assert (a.started, b.started) == (1, 1)
    assert flow.update() is flow
    assert flow.eval() is flow
    assert flow.update_server() is flow
    assert flow.wait() is flow
    flow.stop()


def test_evaluation_sets_of_modules_in_a_flow_are_evaluated() -> None:
    a = Echo().evalset([1, 2], collect_f=list)
    pipeline(f1, a).eval()
    assert a.eval_result == [1, 2]


def test_hooks_run_around_every_call_of_a_flow() -> None:
    Hook.seen = []
    flow = pipeline(inner=pipeline(f1))
    flow.inner.register_hook(Hook)
    assert flow(1) == 2
    assert Hook.seen == [("pre", (1,), {}), ("post", 2)]
    with pytest.raises(TypeError):
        flow(None)
    assert Hook.seen[-1] == ("error", TypeError)
    flow.inner.unregister_hook(Hook)
    flow(1)
    assert len(Hook.seen) == 4
    flow.register_hook(Hook).clear_hooks()
    flow(1)
    assert len(Hook.seen) == 4


async def test_hooks_run_around_awaited_calls() -> None:
    Hook.seen = []
    assert await pipeline(f1).register_hook(Hook).acall(1, input2=2) == 4
    assert Hook.seen == [("pre", (1,), {"input2": 2}), ("post", 4)]


def test_a_flow_shows_its_structure() -> None:
    with pipeline() as ppl:
        ppl.first = f1
        with parallel().asdict as ppl.both:
            ppl.both.a = f2
            ppl.both.b = switch({1: f3, "default": str})
        ppl.last = f4 | bind(ppl.input, _0, in3=ppl.output("first"))
    assert (
        repr(ppl)
        == """\
pipeline 'ppl'
├─ first: f1
├─ parallel.asdict 'both'
│  ├─ a: f2
│  └─ switch 'b'
│     ├─ 1: f3
│     └─ default: str
└─ last: f4 | bind(input, _0, in3=output('first'))"""
    )
    html = ppl._repr_html_()
    assert html.count("<div") == html.count("</div>")
    for text in ("first", "f2", "parallel.asdict", "default", "output(&#x27;first&#x27;)"):
        assert text in html


def test_names_are_escaped_in_the_picture() -> None:
    assert "<script>" not in pipeline(switch({"<script>": f1}))._repr_html_()


def test_a_graph_shows_its_edges() -> None:
    with graph() as g:
        g.a = f1
        g.b = f2
        g.add_edge(g.start_node_name, "a")
        g.add_edge("a", "b")
        g.add_const_edge(5, "b")
        g.add_edge("b", g.end_node_name)
    assert repr(g) == "graph 'g'\n├─ a ← start: f1\n├─ b ← a, 5: f2\n└─ end ← b"


@pytest.mark.parametrize("dump", [lambda flow: cloudpickle.loads(cloudpickle.dumps(flow)), copy.deepcopy])
def test_flows_are_kept_and_copied_with_their_binds(dump: Any) -> None:
    from workbench import save_pipeline_result

    with save_pipeline_result(), pipeline() as p:
        p.f1 = f1
        p.f2 = lambda x: x + 3
        with parallel().aslist as p.sub:
            p.sub.a = f4 | bind(p.input, _0, p.f1)
            p.sub.b = parallel(f3)
        p.sw = switch({lambda x: True: str})
    again = dump(p)
    assert again(1) == p(1) == "['get [1], [5], [2]', ('f3-5',)]"
    assert again.sub.b.ancestor is again
    assert p.is_root
    assert again.f2(1) == 4
    with graph() as g:
        g.a = f1
        g.b = lambda x, y: x * y
        g.add_edge("__start__", ["a", "b"])
        g.add_edge("a", "b")
        g.add_edge("b", "__end__")
    assert dump(g)(4) == g(4) == 20
    with pipeline() as q:
        q.f1 = f1
        q.f2 = f4 | bind(q.input, _0, q.f1)
    assert dump(q)(1) == q(1) == "get [1], [2], [2]"


def test_a_flow_inside_another_is_kept_alone() -> None:
    inner = pipeline(f1)
    assert pipeline(lambda x: x, inner)(1) == 2
    assert pickle.loads(pickle.dumps(inner)).is_root


def test_carriers_and_barrier_survive_pickling() -> None:
    for value in (wb.package(1, 2), wb.package.of([[1, 2]]), wb.kwargs(a=1), wb.arguments((1,), {"a": 2})):
        again = pickle.loads(pickle.dumps(value))
        assert (type(again), again) == (type(value), value)
    assert pickle.loads(pickle.dumps(wb.barrier)) is wb.barrier


def test_action_modules_of_functions_flows_and_binds() -> None:
    assert ActionModule(f1, f2)(1) == 5
    assert ActionModule([f1, f2])(1) == 5
    assert ActionModule(f4 | bind(1, _0, 3))(2) == "get [1], [2], [3]"
    flow = parallel(f1, f2)
    module = ActionModule(flow, return_trace=True)
    assert module.action is flow
    assert module(1) == (2, 4)
    assert isinstance(module, wb.ModuleBase)
    assert "parallel" in repr(module)


async def test_an_action_module_is_awaited_and_its_modules_are_its_submodules() -> None:
    a, b = Echo(), Echo()
    module = ActionModule(pipeline(a, parallel(b, f1)))
    assert module.submodules == [a, b]
    assert await module.acall(1) == (1, 2)
    module.start()
    assert (a.started, b.started) == (1, 1)
