"""What every widget is: its bundle, its messages, and its static form. Knows no particular widget.

A widget answers questions of its page (``{"kind": "rpc", id, method, params}`` → ``{"kind": "reply", id, …}``) and sends it
news (``{"kind": "update", …}``). It synchronises no traits while it lives: what a page must know at its start is filled in
when it asks, so that a page that comes late sees everything.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..errors import PluginError, WorkbenchError, unknown_argument

STATIC = Path(__file__).parent.parent / "static"
MIME = "application/vnd.jupyter.widget-view+json"


@cache
def bundle(name: str) -> str:
    """The JavaScript of a widget.

    Raises
    ------
    PluginError
        When the front end was not built.
    """
    try:
        return (STATIC / f"{name}.js").read_text(encoding="utf-8")
    except OSError as e:
        raise PluginError(
            f"The widget {name!r} has no JavaScript.", "The front end was not built.", "Run: npm install && npm run build:widgets"
        ) from e


class Reply:
    """An answer with binary buffers beside its JSON."""

    def __init__(self, result: Any, *buffers: bytes) -> None:
        self.result, self.buffers = result, list(buffers)


class Widget(anywidget.AnyWidget):
    """Base of the widgets.

    A subclass names its bundle, fills `_snapshot` and `_packed`, lists in `_methods` what its page may ask for, and draws
    `_static_html`. Questions may arrive on any thread, also while a cell runs; they are answered one at a time, under
    ``self._lock``.
    """

    bundle_name = ""
    _esm = traitlets.Unicode().tag(sync=True)
    snapshot = traitlets.Dict().tag(sync=True)
    packed = traitlets.Bytes().tag(sync=True)

    def __init__(self, **unknown: Any) -> None:
        for name in unknown:
            raise unknown_argument(type(self).__name__, name, self._arguments())
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._pages = False
        self._stale = False
        self._display_id = ""
        self._shown_in: int | None = None
        self._kept: dict[str, Any] = {}
        super().__init__(_esm=bundle(self.bundle_name))
        self.on_msg(self._on_message)

    @classmethod
    def _arguments(cls) -> Iterable[str]:
        import inspect

        return [n for n, p in inspect.signature(cls).parameters.items() if p.kind is not p.VAR_KEYWORD]

    # ---- for subclasses

    def _snapshot(self) -> Mapping[str, Any]:
        """What a page must know at its start, as JSON values."""
        return {}

    def _packed(self) -> bytes:
        """What it must know and is too long for JSON."""
        return b""

    def _hello(self, **have: Any) -> Any:
        """What a page that says it has this much is missing; everything by default."""
        return Reply(self._snapshot(), self._packed())

    def _methods(self) -> Mapping[str, Callable[..., Any]]:
        """What a page may ask for, by name; parameters come as keyword arguments."""
        return {}

    def _static_html(self) -> str:
        """The widget as it stands now, for a saved notebook and for front ends without widgets."""
        return ""

    # ---- messages

    def open(self) -> None:
        super().open()
        # ipykernel answers a comm on the shell that last used it, which is the one a running cell blocks. JupyterLab sends
        # comm messages on a subshell of their own: let them be handled there.
        comm = self.comm
        if comm is not None and hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = lambda data, default: default

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if "snapshot" in state or "packed" in state:
            with self._lock:
                state.update({k: f() for k, f in (("snapshot", self._snapshot), ("packed", self._packed)) if k in state})
        return state

    def news(self, content: Mapping[str, Any], *buffers: bytes) -> None:
        """Send an update to the pages. The caller keeps to 20 a second."""
        self.send({"kind": "update", **content}, list(buffers) or None)

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("kind") != "rpc":
            return
        answer: dict[str, Any] = {"kind": "reply", "id": content.get("id")}
        buffers: list[bytes] = []
        try:
            result = self._call(str(content.get("method")), content.get("params") or {})
            if isinstance(result, Reply):
                result, buffers = result.result, result.buffers
            answer["result"] = result
        except WorkbenchError as e:
            answer["error"] = problem(e)
        except Exception as e:  # the page must hear of every error, whatever it is
            answer["error"] = problem(e)
        self.send(answer, buffers or None)

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        with self._lock:
            if method == "hello":
                self._pages = True
                return self._hello(**params)
            if method == "keep":
                self._stale = False
                return self._update_display()
            known = self._methods()
            if method not in known:
                raise PluginError(f"{type(self).__name__} cannot {method!r}.", "The page and the kernel have different versions.", "Reload the page.")
            return known[method](**params)

    def close(self) -> None:
        """End the widget and its threads."""
        if "_closing" in self.__dict__:  # else it was refused at its making
            self._closing.set()
        super().close()

    # ---- display

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        shown = super()._repr_mimebundle_(**kwargs)
        data, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
        self._kept = {**data, "text/plain": repr(self), **self._static()}
        return self._kept, metadata

    def _static(self) -> dict[str, Any]:
        with self._lock:
            html = self._static_html()
        return {"text/html": html} if html else {}

    def _ipython_display_(self) -> None:
        """Show it with a display id, so that what a saved notebook keeps can follow the widget.

        Shown again in the same cell it stands there already: then only what is kept is renewed.
        """
        shell = _kernel_shell()
        if shell is None:
            raise NotImplementedError  # IPython then asks for the bundle
        cell = shell.execution_count
        if self._display_id and self._shown_in == cell:
            self._update_display()
            return
        from IPython.display import display

        self._shown_in, self._display_id = cell, f"workbench-{self.model_id}-{cell}"
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True, display_id=self._display_id)  # type: ignore[no-untyped-call]  # untyped in IPython

    def _renew(self) -> None:
        """What the notebook keeps is out of date. Where a page shows the widget, it is replaced when nobody types in it."""
        if not self._display_id:
            return
        self._stale = True
        if self._pages:
            self.send({"kind": "stale"})
        else:
            self._stale = False
            self._update_display()

    def _update_display(self) -> None:
        if not self._display_id or _kernel_shell() is None:
            return
        before = self._kept
        data, metadata = self._repr_mimebundle_()
        if data == before:
            return
        from IPython.display import display

        display(data, metadata=metadata, raw=True, display_id=self._display_id, update=True)  # type: ignore[no-untyped-call]  # untyped in IPython


def problem(error: BaseException) -> dict[str, str]:
    """An error as a page shows it."""
    if isinstance(error, WorkbenchError):
        return {"what": error.what, "cause": error.cause, "fix": error.fix}
    return {"what": f"{type(error).__name__}: {error}", "cause": "", "fix": ""}


def _kernel_shell() -> Any:
    """IPython's shell in a kernel, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None
