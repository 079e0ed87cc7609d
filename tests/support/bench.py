"""A widget's real Python half and its real bundle in a real browser, without Jupyter between them.

The page has a small anywidget model; what it sends is given to the Python widget, and what the widget sends is put on
the page. Not a stand-in for JupyterLab: tests/ui has the real one.
"""

from __future__ import annotations

import base64
import queue
import time
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[2] / "workbench" / "static"

PAGE = """<!doctype html><meta charset="utf-8"><body data-jp-theme-light="{light}"
style="margin:0;padding:16px;box-sizing:border-box;background:{background}">
<div id="cells" style="display:grid;gap:24px"></div></body>"""

MOUNT = """async ({name, state, history, key}) => {
  const bytes = text => { const b = Uint8Array.from(atob(text), c => c.charCodeAt(0)); return new DataView(b.buffer); };
  const listeners = new Map();
  const values = {...state, packed: bytes(history)};
  const model = {
    get: n => values[n],
    send: m => window.toKernel(JSON.stringify({key, message: m})),
    on: (e, f) => listeners.set(e, [...(listeners.get(e) ?? []), f]),
    off: (e, f) => listeners.set(e, (listeners.get(e) ?? []).filter(g => g !== f)),
  };
  window.models ??= {};
  window.models[key] = (m, buffers) => (listeners.get('msg:custom') ?? []).forEach(f => f(m, buffers.map(bytes)));
  const module = (await import(`http://bench.test/${name}.js?${key}`)).default();
  const ends = [module.initialize({model})];
  const cell = document.createElement('div'); cell.id = key; cell.style.minWidth = 0;
  document.getElementById('cells').append(cell);
  ends.push(module.render({model, el: cell}));
  window.unmount ??= {}; window.unmount[key] = () => { ends.reverse().forEach(f => f()); cell.remove(); };
}"""


class Bench:
    """Mounts widgets on a page and carries their messages while `pump` runs."""

    def __init__(self, page: Any, *, dark: bool = False, width: int = 1000, static: Path = STATIC) -> None:
        self.page, self.widgets, self.count = page, {}, 0
        self.out: queue.Queue[tuple[str, Any, list[bytes]]] = queue.Queue()
        page.set_viewport_size({"width": width, "height": 800})
        html = PAGE.format(light=str(not dark).lower(), background="#111111" if dark else "#ffffff")

        def serve(route: Any) -> None:
            path = route.request.url.split("bench.test/")[1].split("?")[0]
            if path:
                route.fulfill(body=(static / path).read_bytes(), content_type="text/javascript")
            else:
                route.fulfill(body=html, content_type="text/html")

        page.route("http://bench.test/**", serve)
        page.expose_function("toKernel", self._receive)
        page.goto("http://bench.test/")

    def _receive(self, text: str) -> None:
        import json

        body = json.loads(text)
        target = self.widgets[body["key"]]
        if callable(target):
            target(body["message"])
        else:
            target._handle_custom_msg(body["message"], [])

    def mount(self, widget: Any) -> str:
        """Show a widget; returns the id of its cell."""
        self.count += 1
        key = f"cell{self.count}"
        self.widgets[key] = widget
        widget.send = lambda content, buffers=None: self.out.put((key, content, [bytes(b) for b in buffers or []]))
        state = widget.get_state()
        self.mount_state(key, widget.bundle_name, state["snapshot"], bytes(state["packed"]))
        self.pump(0.1)
        return key

    def mount_state(self, key: str, name: str, snapshot: Any, history: bytes, on_message: Any = None) -> None:
        if on_message or key not in self.widgets:
            self.widgets[key] = on_message or (lambda message: None)
        self.page.evaluate(MOUNT, {"name": name, "state": {"snapshot": snapshot}, "history": base64.b64encode(history).decode(), "key": key})

    def send(self, key: str, content: Any, buffers: list[bytes] | None = None) -> None:
        encoded = [base64.b64encode(b).decode() for b in buffers or []]
        self.page.evaluate("([key, m, buffers]) => window.models[key](m, buffers)", [key, content, encoded])

    def pump(self, seconds: float = 0.3) -> None:
        """Carry messages both ways for a while."""
        end = time.monotonic() + seconds
        while True:
            while not self.out.empty():
                self.send(*self.out.get())
            self.page.wait_for_timeout(15)
            if time.monotonic() > end and self.out.empty():
                return

    def until(self, condition: str, seconds: float = 10) -> None:
        """Pump until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            if time.monotonic() > end:
                raise AssertionError(f"never true: {condition}\n{self.page.inner_text('body')[:2000]}")
            self.pump(0.05)
