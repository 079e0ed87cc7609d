"""Values as JSON: what a served function is given, and what it gives back.

Texts, numbers, true, false, None, lists and objects with text keys stand for themselves. A few other values travel as an
object with a single key that begins with ``$``::

    {"$bytes": "<base64>"}                      bytes
    {"$tuple": […]}                             a tuple
    {"$package": […]}  {"$kwargs": {…}}  {"$arguments": [[…], {…}]}     a flow's carriers of several arguments
    {"$set": […]}  {"$frozenset": […]}
    {"$dict": [[key, value], …]}                a dict with other keys than texts, or with a single key that begins with $
    {"$float": "nan" | "inf" | "-inf"}          JSON has no such numbers
    {"$datetime": "…"}  {"$date": "…"}          ISO 8601
    {"$ndarray": {"dtype": "<f4", "shape": [2, 3], "data": "<base64>"}}     C order
    {"$dataframe": "<base64>"}  {"$series": "<base64>"}                     an Arrow IPC stream

Anything else is refused, naming its type and its place. Subclasses of the plain types become the plain type. Knows no
transport; numpy, pandas and pyarrow are only touched when such a value comes.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

from .. import registry
from ..errors import ArgumentError

_CARRIERS = "workbench.flows.carriers"
_HINTS = {
    "DataFrame": "Give a pandas DataFrame.",
    "Tensor": "Give its .numpy() or .tolist().",
    "Series": "Give a pandas Series.",
}


class _Unfit(Exception):
    """A value that has no form; the path to it grows on the way up."""

    def __init__(self, value: object, why: str = "") -> None:
        super().__init__(why)
        self.kind, self.why = type(value), why
        self.path: list[str] = []


def encode(value: Any, place: str = "value") -> Any:
    """The JSON form of a value.

    Parameters
    ----------
    value : object
    place : str
        What the value is, for the error, such as ``result``.

    Raises
    ------
    ArgumentError
        For a value that has no form; the message names its type and where it stands, such as ``result['rows'][3]``.
    """
    try:
        return _encode(value)
    except _Unfit as e:
        where = place + "".join(reversed(e.path))
        module = "" if e.kind.__module__ in ("builtins", "__main__") else f"{e.kind.__module__}."
        raise ArgumentError(
            f"{where} is of type {module}{e.kind.__qualname__}, which cannot travel as JSON.", e.why or _WHAT_TRAVELS, _hint(e.kind)
        ) from None
    except RecursionError:
        raise ArgumentError(f"{place} is nested too deeply to travel as JSON, or contains itself.", "", "Give a flat value.") from None


def dumps(value: Any, place: str = "value") -> bytes:
    """`encode`, as JSON text in UTF-8."""
    return json.dumps(encode(value, place), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "surrogatepass")


_WHAT_TRAVELS = "What travels: texts, numbers, lists, dicts, tuples, sets, bytes, dates, numpy arrays, pandas frames and series."


def _hint(kind: type) -> str:
    if hasattr(kind, "model_dump"):
        return "Give its model_dump()."
    if hasattr(kind, "__dataclass_fields__"):
        return "Give dataclasses.asdict(it)."
    return _HINTS.get(kind.__name__, "Give it in one of these forms.")


def _encode(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": _FLOATS.get(value, "nan")}
    if kind is list:
        return _items(value)
    if kind is dict:
        return _object(value)
    return _other(value)


_FLOATS = {math.inf: "inf", -math.inf: "-inf"}


def _items(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    try:
        for value in values:
            found.append(_encode(value))
    except _Unfit as e:
        e.path.append(f"[{len(found)}]")
        raise
    return found


def _object(value: dict[Any, Any]) -> dict[str, Any]:
    if any(type(key) is not str for key in value) or (len(value) == 1 and next(iter(value)).startswith("$")):
        try:
            return {"$dict": [[_key(key), _encode(item)] for key, item in value.items()]}
        except _Unfit as e:
            e.path.append("{…}")
            raise
    found: dict[str, Any] = {}
    key = ""
    try:
        for key, item in value.items():
            found[key] = _encode(item)
    except _Unfit as e:
        e.path.append(f"[{key!r}]")
        raise
    return found


def _key(key: Any) -> Any:
    try:
        return _encode(key)
    except _Unfit as e:
        e.why = "It is a key of a dict."
        raise


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": _base64(bytes(value))}
    if isinstance(value, tuple):
        return {"$package" if type(value).__module__ == _CARRIERS else "$tuple": _items(value)}
    if isinstance(value, frozenset | set):
        return {"$set" if isinstance(value, set) else "$frozenset": _items(value)}
    if isinstance(value, dict):
        return {"$kwargs": {k: _encode(v) for k, v in value.items()}} if type(value).__module__ == _CARRIERS else _object(dict(value))
    if isinstance(value, list):
        return _items(value)
    if isinstance(value, datetime.datetime) and value == value:  # pandas' NaT is a datetime that equals nothing
        return {"$datetime": value.isoformat()}
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return {"$date": value.isoformat()}
    if type(value).__module__ == _CARRIERS:
        return {"$arguments": [_items(value.args), {k: _encode(v) for k, v in value.kw.items()}]}
    found = _scientific(value)
    if found is not None:
        return found
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _encode(float(value))
    raise _Unfit(value)


def _scientific(value: Any) -> Any:
    """Arrays and frames; their packages are loaded already where such a value exists."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None:
        if isinstance(value, numpy.generic) and not isinstance(value, numpy.void | numpy.datetime64 | numpy.timedelta64):
            plain = value.item()
            if type(plain) is type(value):
                raise _Unfit(value)
            return _encode(plain)
        if isinstance(value, numpy.ndarray):
            if value.dtype.hasobject or value.dtype.fields:
                raise _Unfit(value, f"Its elements are {value.dtype}; only arrays of numbers, texts and times travel.")
            data = numpy.ascontiguousarray(value)
            return {"$ndarray": {"dtype": value.dtype.str, "shape": list(value.shape), "data": _base64(data.tobytes())}}
    if pandas is not None:
        if isinstance(value, pandas.DataFrame):
            return {"$dataframe": _arrow(value, value)}
        if isinstance(value, pandas.Series):
            return {"$series": _arrow(value, value.to_frame("" if value.name is None else value.name))}
    return None


def _arrow(value: Any, frame: Any) -> str:
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowException, ValueError, TypeError) as e:
        raise _Unfit(value, str(e)) from None
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _base64(sink.getvalue().to_pybytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


# ---- back


def decode(value: Any) -> Any:
    """The value of a JSON form; an object with one key that begins with ``$`` and is none of ours stays as it is.

    Raises
    ------
    ArgumentError
        For a form that is broken.
    """
    kind = type(value)
    if kind is list:
        return [decode(item) for item in value]
    if kind is not dict:
        return value
    if len(value) == 1:
        (key,) = value
        reader = _READERS.get(key)
        if reader is not None:
            try:
                return reader(value[key])
            except ArgumentError:
                raise
            except Exception as e:
                raise ArgumentError(f"A value in the form {key!r} cannot be read.", f"{type(e).__name__}: {e}") from None
    return {key: decode(item) for key, item in value.items()}


def loads(text: bytes | str) -> Any:
    """`decode` of JSON text.

    Raises
    ------
    ArgumentError
        When it is no JSON.
    """
    return decode(parse(text))


def parse(text: bytes | str) -> Any:
    """JSON text as plain values, not decoded yet.

    Raises
    ------
    ArgumentError
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ArgumentError("The body is no JSON.", f"{type(e).__name__}: {e}", 'Send JSON, such as {"input": "hello"}.') from None


def _ndarray(form: dict[str, Any]) -> Any:
    import numpy as np

    flat = np.frombuffer(base64.b64decode(form["data"]), dtype=np.dtype(form["dtype"]))
    return flat.reshape(form["shape"]).copy()  # what was read from bytes could not be written to


def _carrier(name: str) -> Any:
    return registry.get("wire", f"{_CARRIERS}:{name}")


def _frame(text: str) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(base64.b64decode(text)).read_all().to_pandas()


def _series(text: str) -> Any:
    frame = _frame(text)
    found = frame.iloc[:, 0]
    return found.rename(None) if found.name == "" else found


_READERS: dict[str, Callable[[Any], Any]] = {
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$tuple": lambda items: tuple(decode(i) for i in items),
    "$package": lambda items: _carrier("package").of(decode(i) for i in items),
    "$kwargs": lambda form: _carrier("kwargs")({k: decode(v) for k, v in form.items()}),
    "$arguments": lambda form: _carrier("arguments")([decode(i) for i in form[0]], {k: decode(v) for k, v in form[1].items()}),
    "$set": lambda items: {decode(i) for i in items},
    "$frozenset": lambda items: frozenset(decode(i) for i in items),
    "$dict": lambda pairs: {decode(key): decode(item) for key, item in pairs},
    "$float": {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}.__getitem__,
    "$datetime": datetime.datetime.fromisoformat,
    "$date": datetime.date.fromisoformat,
    "$ndarray": _ndarray,
    "$dataframe": _frame,
    "$series": _series,
}
