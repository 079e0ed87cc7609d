"""`bind`: fix some of a callable's arguments, say where the others go, or take them from elsewhere in the pipeline.

Knows callables and the `Frame` of running pipelines that it is given. Does not know flows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..errors import ArgumentError, FlowArgumentError, FlowError
from .carriers import package

SAVED = "pipeline.input/output can only be bind in direct member of pipeline!"
_save: ContextVar[bool | None] = ContextVar("workbench_save_pipeline_result", default=None)


class Selection:
    """Something that gets its value when the flow runs; ``[i]`` and ``.name`` select inside that value."""

    __slots__ = ("_path",)
    __iter__: Any = None  # or Python would try [0], [1], … for ever

    def __init__(self, path: tuple[tuple[bool, Any], ...] = ()) -> None:
        object.__setattr__(self, "_path", path)

    def _at(self, path: tuple[tuple[bool, Any], ...]) -> Selection:
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Selection:
        return self._at((*self._path, (True, key)))

    def __getattr__(self, name: str) -> Selection:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self._at((*self._path, (False, name)))

    def __setattr__(self, name: str, value: Any) -> None:
        raise ArgumentError(f"{self!r} gets its value when the flow runs; nothing can be set in it.", "", "Change the value in a step.")

    def _select(self, value: Any) -> Any:
        for is_key, key in self._path:
            try:
                value = value[key] if is_key else getattr(value, key)
            except Exception as e:
                e.add_note(f"Selecting {self!r}, from {value!r:.100}.")
                raise
        return value

    def _shown(self) -> str:
        return "".join(f"[{key!r}]" if is_key else f".{key}" for is_key, key in self._path)


class Placeholder(Selection):
    """``_0`` … ``_9``: the argument of that position of the call."""

    __slots__ = ("_index",)
    _index: int

    def __init__(self, index: int, path: tuple[tuple[bool, Any], ...] = ()) -> None:
        super().__init__(path)
        object.__setattr__(self, "_index", index)

    def _at(self, path: tuple[tuple[bool, Any], ...]) -> Placeholder:
        return Placeholder(self._index, path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Placeholder, (self._index, self._path)

    def __repr__(self) -> str:
        return f"_{self._index}{self._shown()}"


class Reference(Selection):
    """``p.input``, ``p.kwargs`` or ``p.output(step)`` of a pipeline, whatever it will be."""

    __slots__ = ("_flow_id", "_source", "_unpack")
    _flow_id: str
    _source: str | int
    _unpack: bool

    def __init__(self, flow_id: str, source: str | int, unpack: bool = False, path: tuple[tuple[bool, Any], ...] = ()) -> None:
        super().__init__(path)
        object.__setattr__(self, "_flow_id", flow_id)
        object.__setattr__(self, "_source", source)
        object.__setattr__(self, "_unpack", unpack)

    def _at(self, path: tuple[tuple[bool, Any], ...]) -> Reference:
        return Reference(self._flow_id, self._source, self._unpack, path)

    def __reduce__(self) -> tuple[Any, ...]:
        return Reference, (self._flow_id, self._source, self._unpack, self._path)

    def __repr__(self) -> str:
        source = self._source
        word = source if source in ("input", "kwargs") else f"output({source if isinstance(source, int) else source[1:]!r})"
        return f"{word}{self._shown()}"


class Frame:
    """One run of a pipeline, as the binds in it see it.

    Attributes
    ----------
    outputs : list
        Of the steps that have run.
    open : bool
        Whether flows inside the pipeline may use it, too.
    outer : Frame or None
        The run that this one is part of.
    """

    __slots__ = ("flow", "kwargs", "open", "outer", "outputs", "value")

    def __init__(self, flow: Any, value: Any, kwargs: dict[str, Any], outer: Frame | None, open: bool) -> None:
        self.flow, self.value, self.kwargs, self.outer, self.open = flow, value, kwargs, outer, open
        self.outputs: list[Any] = []

    def of(self, source: str | int) -> Any:
        """The pipeline's input, keywords, or the output of a step (by number, or ``"=name"``)."""
        if source == "input":
            return self.value
        if source == "kwargs":
            return self.kwargs
        number = source if isinstance(source, int) else self.flow._number(source[1:])
        if number >= len(self.outputs):
            raise FlowArgumentError(
                f"Step {number + 1} of {self.flow._told()} has no output yet.", "The bind that wants it runs before it.", "Bind to an earlier step."
            )
        return self.outputs[number]


class bind:
    """Bind arguments of a callable: ``bind(f, 1, _0, key=p.input)`` or ``f | bind(1, _0, key=p.input)``.

    With no position bound, a call's positions are passed on as they are; with some bound, only those are passed, and ``_0`` …
    ``_9`` say where the call's positions go. Keywords of the call are added.

    Parameters
    ----------
    f : callable
        A function, module or flow; in front of ``|`` it is left out here.
    *args, **kwargs : object
        Values, placeholders, or what a pipeline will know: ``p.input``, ``p.kwargs['key']``, ``p.output('name')``, ``p.name``, each
        with ``[i]`` and ``.attribute`` to select inside it.

    Raises
    ------
    FlowArgumentError
        At the call: a keyword is bound and given, or a placeholder has no position.
    FlowError
        At the call: a pipeline's input or output is used where it is not known.
    """

    _f: Any
    _args: tuple[Any, ...]
    _kw: dict[str, Any]
    _given: tuple[Any, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        has_f = bool(args) and callable(args[0]) and not isinstance(args[0], Selection)
        self._set(args[0] if has_f else None, args[1:] if has_f else args, kwargs, args)

    def _set(self, f: Any, args: tuple[Any, ...], kw: dict[str, Any], given: tuple[Any, ...]) -> None:
        for name, value in (("_f", f), ("_args", args), ("_kw", kw), ("_given", given)):
            object.__setattr__(self, name, value)

    def __ror__(self, f: Any) -> bind:
        if not callable(f):
            return NotImplemented
        bound = object.__new__(bind)
        bound._set(f, self._given, self._kw, (f, *self._given))
        return bound

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebind, (self._f, self._args, self._kw, self._given)

    # ---- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        positions, keywords = self.arguments(args, kwargs, None, "")
        return self._target()(*positions, **keywords)

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """The same, awaited."""
        from .driving import adrive
        from .items import Step, run

        return await adrive(run(Step(self), package.of(args), kwargs, None, ""))

    def _target(self) -> Any:
        if self._f is None:
            raise FlowError("This bind has nothing to call.", "It was made without a function.", "Write bind(f, …), or f | bind(…).")
        return self._f

    def arguments(self, args: Sequence[Any], kwargs: dict[str, Any], frame: Frame | None, owner: str) -> tuple[list[Any], dict[str, Any]]:
        """What the callable gets.

        Parameters
        ----------
        args, kwargs : tuple, dict
            Of the call.
        frame : Frame or None
            The innermost pipeline that runs.
        owner : str
            The ``flow_id`` of the pipeline whose direct member this is, or empty.
        """
        positions: list[Any] = []
        if self._args:
            for value in self._args:
                found = self._value(value, args, frame, owner)
                if isinstance(value, Reference) and value._unpack:
                    positions.extend(found)
                else:
                    positions.append(found)
        else:
            positions.extend(args)
        keywords = {key: self._value(value, args, frame, owner) for key, value in self._kw.items()}
        if kwargs:
            twice = keywords.keys() & kwargs.keys()
            if twice:
                raise FlowArgumentError(
                    f"Keys {', '.join(sorted(twice))} are already bind!", "They are bound, and given in the call.", "Give them in one place."
                )
            keywords.update(kwargs)
        return positions, keywords

    def _value(self, value: Any, args: Sequence[Any], frame: Frame | None, owner: str) -> Any:
        if isinstance(value, Placeholder):
            if value._index >= len(args):
                raise FlowArgumentError(
                    f"{value!r} has no value: the call gave {len(args)} positions.", "", f"Placeholders go from _0 to _{max(len(args) - 1, 0)} here."
                )
            return value._select(args[value._index])
        if isinstance(value, Reference):
            return value._select(_found(value, frame, owner).of(value._source))
        reference = getattr(type(value), "_as_reference", None)
        if reference is not None:
            found = reference(value)
            return _found(found, frame, owner).of(found._source)
        if frame is not None and owner:
            number = frame.flow._number_of(value)
            if number is not None:
                return frame.of(number)
        return value

    def held_modules(self) -> list[Any]:
        """Every module in what is bound and in its values, each once."""
        from .tree import held

        return held(self)

    # ---- looking like what is bound

    def __getattr__(self, name: str) -> Any:
        if name in ("_f", "_args", "_kw", "_given") or (name.startswith("__") and name != "__name__"):
            raise AttributeError(name)
        return getattr(self._f, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._target(), name, value)

    def __enter__(self) -> bind:
        self._target().__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._target().__exit__(*exc)

    def __repr__(self) -> str:
        words = [(shown if callable(v) else repr)(v) for v in (*self._args, *self._kw.values())]
        names = [""] * len(self._args) + [f"{k}=" for k in self._kw]
        bound = [name + word for name, word in zip(names, words, strict=True)]
        return f"{shown(self._f)} | bind({', '.join(bound)})"


def shown(item: Any) -> str:
    """A callable in a few words: a function's name, an object's own words, else its class."""
    name = None if type(item) is bind else getattr(item, "__name__", None)
    if isinstance(name, str):
        return name
    if hasattr(item, "module_id") and type(item) is not bind:
        kind, called = type(item).__name__, str(getattr(item, "name", ""))
        return kind if called in (kind, "") else f"{kind} {called!r}"
    default: Any = object.__repr__
    return type(item).__name__ if type(item).__repr__ is default else " ".join(repr(item).split())


def _rebind(f: Any, args: tuple[Any, ...], kw: dict[str, Any], given: tuple[Any, ...]) -> bind:
    made = object.__new__(bind)
    made._set(f, args, kw, given)
    return made


def _found(reference: Reference, frame: Frame | None, owner: str) -> Frame:
    while frame is not None:
        if frame.flow.flow_id == reference._flow_id:
            if frame.open or owner == reference._flow_id:
                return frame
            break
        frame = frame.outer
    raise FlowError(
        SAVED,
        f"{reference!r} is bound by something that is not a step of that pipeline itself.",
        "Make the pipeline inside `with save_pipeline_result():`.",
    )


@contextmanager
def save_pipeline_result(flag: bool = True) -> Iterator[None]:
    """Pipelines that are made, or called, inside this block let the flows inside them bind their input and outputs, too.

    Parameters
    ----------
    flag : bool, optional
        False forbids it again for calls inside this block.
    """
    token = _save.set(flag)
    try:
        yield
    finally:
        _save.reset(token)


def made_saving() -> bool:
    """Whether a pipeline that is made now keeps its results open: the block around it, or ``WORKBENCH_SAVE_FLOW_RESULT``."""
    flag = _save.get()
    if flag is not None:
        return flag
    value = os.environ.get("WORKBENCH_SAVE_FLOW_RESULT") or os.environ.get("LAZYLLM_SAVE_FLOW_RESULT") or ""
    return value.strip().lower() in ("1", "true", "on", "yes")


def saving(made: bool) -> bool:
    """The same for a call of a pipeline that was made with ``made``."""
    flag = _save.get()
    return made if flag is None else flag


_0, _1, _2, _3, _4, _5, _6, _7, _8, _9 = (Placeholder(i) for i in range(10))
