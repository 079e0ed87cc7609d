"""`graph`: nodes and edges without a cycle; a node runs as soon as its inputs are there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from ..errors import FlowArgumentError, FlowError, nearest
from . import places
from .base import FlowBase
from .binding import Frame
from .branching import AT_ONCE
from .carriers import arguments, collected
from .driving import Steps, Together
from .items import Step, call, checked

START, END = "__start__", "__end__"
Formatter = Callable[[Any], Any]


class GraphNode:
    """A node of a graph.

    Attributes
    ----------
    func : callable or None
        What it runs; None for start and end.
    name : str
        Its name in the graph.
    arg_names : list of str
        Names for its inputs, in the order of the edges; without them they are positions.
    inputs : dict
        From the name of each node (or constant) that it gets something from, in the order of the edges, to the formatter or None.
    outputs : list of GraphNode
        The nodes that get what it returns.
    """

    def __init__(self, func: Any, name: str, arg_names: list[str] | None = None) -> None:
        self.func, self.name, self.arg_names = func, name, list(arg_names or ())
        self.inputs: dict[str, Step | None] = {}
        self.outputs: list[GraphNode] = []

    def __repr__(self) -> str:
        return f"<Node {self.name}>"


class graph(FlowBase):
    """Run nodes in the order that the edges between them ask for, side by side where nothing is waited for.

    A node gets what its edges bring, in the order in which they were added; a `package` is spread. Several nodes before the end
    give a `package`. Nodes without any edge do not run.

    Parameters
    ----------
    post_action, auto_capture
        See `FlowBase`.
    **nodes : callable
        Also set in the ``with`` form: ``g.name = f``.

    Raises
    ------
    FlowArgumentError
        An edge that is there already, that names no node, or a cycle (in the call, and by `topological_sort`).

    Examples
    --------
    >>> with graph() as g:
    ...     g.double = lambda x: 2 * x
    ...     g.add = lambda x, y: x + y
    >>> g.add_edge(g.start_node_name, ['double', 'add'])
    >>> g.add_edge('double', 'add')
    >>> g.add_edge('add', g.end_node_name)
    >>> g(5)
    15
    """

    flow_kind: ClassVar[str] = "graph"
    _word: ClassVar[str] = "node"
    Node = GraphNode
    start_node_name = START
    end_node_name = END

    def __init__(self, *, post_action: Callable[..., Any] | None = None, auto_capture: bool = False, **nodes: Any) -> None:
        own = self.__dict__
        own["_nodes"], own["_constants"] = {START: GraphNode(None, START), END: GraphNode(None, END)}, {}
        super().__init__(post_action=post_action, auto_capture=auto_capture, **nodes)

    def _add(self, name: str, item: Any) -> None:
        super()._add(name, item)
        self._nodes[name] = GraphNode(self._items[-1], name)

    @property
    def start_node(self) -> GraphNode:
        """Where the input of the graph comes in."""
        found: GraphNode = self._nodes[START]
        return found

    @property
    def end_node(self) -> GraphNode:
        """What it gets is the output of the graph."""
        found: GraphNode = self._nodes[END]
        return found

    def add_edge(self, from_node: Any, to_node: Any, formatter: Formatter | None = None) -> None:
        """Give what one node returns to another.

        Parameters
        ----------
        from_node, to_node : str, Node, item, or list of them
            A list means an edge for each.
        formatter : callable, optional
            Makes of the value what the other node gets.
        """
        for source in from_node if isinstance(from_node, list | tuple) else [from_node]:
            for target in to_node if isinstance(to_node, list | tuple) else [to_node]:
                self._edge(self._node(source), self._node(target), formatter)

    def _edge(self, source: GraphNode, target: GraphNode, formatter: Formatter | None) -> None:
        if source.name in target.inputs:
            raise FlowArgumentError(f"Duplicate edges from {source.name} to {target.name}.", "", "Add every edge once.")
        if target.name == START or source.name == END:
            raise FlowArgumentError(
                f"There is no edge from {source.name} to {target.name}.", "Start has no inputs and end has no outputs.", "Turn it round."
            )
        target.inputs[source.name] = None if formatter is None else Step(checked(formatter, "The formatter of this edge"))
        source.outputs.append(target)
        self.__dict__["_prepared"] = None

    def add_const_edge(self, constant: Any, to_node: Any) -> None:
        """Give a fixed value to a node, or to each of a list of nodes."""
        for target in to_node if isinstance(to_node, list | tuple) else [to_node]:
            name = f"__const_{len(self._constants)}__"
            self._constants[name] = constant
            self._node(target).inputs[name] = None
        self.__dict__["_prepared"] = None

    def set_node_arg_name(self, arg_names: list[list[str] | None]) -> None:
        """Name the inputs of the nodes, in the order in which the nodes were set: they are passed as keywords."""
        if len(arg_names) != len(self._items):
            raise FlowArgumentError(f"{len(arg_names)} lists of names for {len(self._items)} nodes.", "", "Give one list, or None, for each node.")
        for name, names in zip(self._item_names, arg_names, strict=True):
            self._nodes[name].arg_names = list(names or ())

    def _node(self, node: Any) -> GraphNode:
        name = node.name if isinstance(node, GraphNode) else node
        if not isinstance(name, str):
            number = self._number_of(node)
            name = self._item_names[number] if number is not None else repr(node)
        if name not in self._nodes:
            near = nearest(name, self._nodes)
            raise FlowArgumentError(
                f"This graph has no node {name!r}.", f"{near!r} is the nearest name." if near else "", f"It has: {', '.join(self._nodes)}."
            )
        found: GraphNode = self._nodes[name]
        return found

    def topological_sort(self) -> list[GraphNode]:
        """The nodes in an order in which every node stands behind those that it needs.

        Raises
        ------
        FlowArgumentError
            A ValueError, "Graph has a cycle", which names its nodes.
        """
        nodes: list[GraphNode] = [self.start_node, *(self._nodes[n] for n in self._item_names), self.end_node]
        missing = {n.name: sum(i in self._nodes for i in n.inputs) for n in nodes}
        ready, done = [n for n in nodes if not missing[n.name]], []
        while ready:
            node = ready.pop(0)
            done.append(node)
            for target in node.outputs:
                missing[target.name] -= 1
                if not missing[target.name]:
                    ready.append(target)
        if len(done) < len(nodes):
            raise FlowArgumentError("Graph has a cycle", self._cycle(), "Take one of these edges away.")
        return [n for n in done if n.name != END] + [self.end_node]

    def _cycle(self) -> str:
        way: list[GraphNode] = []

        def walk(node: GraphNode) -> bool:
            if node in way:
                del way[: way.index(node)]
                way.append(node)
                return True
            way.append(node)
            if any(walk(target) for target in node.outputs):
                return True
            way.pop()
            return False

        any(walk(node) for node in self._nodes.values())
        return " → ".join(n.name for n in way)

    # ---- calling

    def _made(self) -> Any:
        if self._open is not None or not self.end_node.inputs:
            return None  # edges may still come
        nodes = [n for n in self.topological_sort() if n.func is not None and (n.inputs or n.outputs)]
        place = {n.name: i for i, n in enumerate(nodes)}
        return [(n, Step(n.func)) for n in nodes], [[place[i] for i in n.inputs if i in place] for n in nodes]

    def _steps(self, value: Any, kwargs: dict[str, Any], frame: Frame | None) -> Steps:
        prepared = self._prepared or self._prepare()
        if prepared is None:
            raise FlowError("This graph returns nothing.", "No edge leads to its end.", "Write g.add_edge('name', g.end_node_name).")
        nodes, needs = prepared
        outputs: dict[str, Any] = {START: arguments(value if isinstance(value, tuple) and type(value) is not tuple else (value,), kwargs)}
        outputs.update(self._constants)
        yield Together([functools.partial(self._run_node, node, step, outputs, frame) for node, step in nodes], AT_ONCE, needs)
        try:
            gathered = yield from self._gathered(self.end_node, outputs, frame)
        except Exception as e:
            places.passed(e, "graph end")
            raise
        return collected(gathered.args)

    def _run_node(self, node: GraphNode, step: Step, outputs: dict[str, Any], frame: Frame | None) -> Steps:
        try:
            given = yield from self._gathered(node, outputs, frame)
            args, kwargs = given.args, given.kw
            if node.arg_names:
                kwargs = {**dict(zip(node.arg_names, args, strict=False)), **kwargs}
                args = args[len(node.arg_names) :]
            outputs[node.name] = yield from call(step, args, kwargs, frame)
        except Exception as e:
            places.passed(e, f"graph node {node.name!r}")
            raise

    def _gathered(self, node: GraphNode, outputs: dict[str, Any], frame: Frame | None) -> Steps:
        given = arguments()
        for name, formatter in node.inputs.items():
            value = outputs[name]
            if formatter is not None:
                if name == START:
                    value = collected(value.args)
                value = yield from call(formatter, (value,), {}, frame)
            given.append(value)
        return given

    def _drawn(self) -> list[tuple[str, Any]]:
        shown = []
        for name, item in zip(self._item_names, self._items, strict=True):
            sources = [repr(self._constants[i]) if i in self._constants else "start" if i == START else i for i in self._nodes[name].inputs]
            shown.append((f"{name} ← {', '.join(sources)}" if sources else name, item))
        end = list(self.end_node.inputs)
        return [*shown, (f"end ← {', '.join(end)}", None)] if end else shown
