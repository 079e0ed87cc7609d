"""The door before llama.cpp's server where it has LoRA adapters: callers choose one by the model's name, as with vLLM. Standard library only.

llama.cpp itself takes adapters by number, in each request's ``lora``
(https://github.com/ggml-org/llama.cpp/tree/master/tools/server#post-completion-given-a-prompt-it-returns-the-predicted-completion), and loads none
while it runs: for one more, a second server is started in this process, with the same weights, and the first goes when its answers are written.
It also takes what one adapter has read of a text for what another would have; so each request is told which slot is its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

Adapters = dict[str, tuple[str, str]]  # name → the folder that people know it by, and its GGUF file
ANSWERS = ("completions", "completion", "responses", "messages", "infill")
_KINDS = {401: "authentication_error", 404: "not_found_error"}  # llama.cpp's own words
_HEAD = 1 << 16
_PIECE = 1 << 16
_SECONDS = 60.0  # to send a request's head


@dataclass
class Behind:
    """One server behind the door, and what it is doing."""

    server: Any
    adapters: Adapters
    slots: int
    fixed: int = 0  # adapters for every answer, before those with names
    open: int = 0
    read: dict[int, str] = field(default_factory=dict)  # slot → the adapters that its text was read with
    busy: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        parts = urlsplit(self.server.listening_address)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 0


class Door:
    """Listens for callers.

    Parameters
    ----------
    start : callable
        Starts a server with some adapters; raises what the library raises.
    key : str
        What callers must show.
    slots : int
        How many answers a server makes side by side.
    always : list of float
        How strongly the adapters count that every answer has.
    names : collection of str
        What callers may call the model itself. Another name is refused: llama.cpp would answer it with the model, which nobody meant who asked
        for an adapter that has gone.
    """

    def __init__(
        self, start: Callable[[Adapters], Any], key: str, slots: int, always: list[float], adapters: Adapters, names: Collection[str]
    ) -> None:
        self._start, self._key, self._always, self._slots, self._names = start, key, always, slots, names
        self._now = Behind(start(adapters), adapters, slots, len(always))
        self._loop = asyncio.new_event_loop()
        self._changing = asyncio.Lock()

    def listen(self, port: int) -> str:
        """Answer callers from now on; the address. Port 0 is any free one."""
        threading.Thread(target=self._loop.run_forever, name="door", daemon=True).start()
        serving = asyncio.start_server(self._caller, "127.0.0.1", port, limit=_HEAD)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _caller(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._request(reader, writer)
        except (OSError, EOFError, TimeoutError):
            pass  # the caller has gone, or never said what it wants
        except (ValueError, TypeError, asyncio.LimitOverrunError) as e:
            writer.write(_answered(400, _error(f"The request is not understood: {e}", 400)))
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head[:-4].decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, _, v in (h.partition(":") for h in rest)}
        if not self._may(method, urlsplit(target).path, headers):
            writer.write(_answered(401, _error("Invalid API Key", 401)))  # before a body of any size is read
            return
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _body(reader, headers)
        await self._answer(method, target, headers, body, reader, writer)

    def _may(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether the key is shown, as llama.cpp takes it; its health and a browser's question what it may ask need none."""
        shown = headers.get("authorization", "").removeprefix("Bearer ").strip() or headers.get("x-api-key", "")
        return method == "OPTIONS" or (method in ("GET", "HEAD") and path == "/health") or hmac.compare_digest(shown.encode(), self._key.encode())

    async def _answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        path = urlsplit(target).path.rstrip("/")
        own = {
            ("GET", "models"): self._models,
            ("POST", "load_lora_adapter"): self._load,
            ("POST", "unload_lora_adapter"): self._unload,
        }.get((method, path.rpartition("/")[2]))
        if own is not None and path.startswith(("/v1/", "/models", "/load_", "/unload_")):
            writer.write(_answered(*await own(_object(body))))
            await writer.drain()
            return
        behind, slot, whole = self._now, None, False
        behind.open += 1
        try:
            if method == "POST" and path.rpartition("/")[2] in ANSWERS and (asked := _object(body)):
                if (said := str(asked.get("model") or "")) and said not in self._names and said not in behind.adapters:
                    writer.write(_answered(404, _error(f"The model `{said}` does not exist.", 404)))
                    return
                slot = _choose(behind, asked, self._always)
                body = json.dumps(asked).encode()
            whole = await _forward(behind, method, target, headers, body, reader, writer)
        finally:
            if slot is not None:
                behind.busy.discard(slot)
                if not whole:
                    behind.read.pop(slot, None)  # nobody knows what it has read
            behind.open -= 1
            self._retire(behind)

    async def _models(self, _: Mapping[str, Any]) -> tuple[int, Any]:
        """The server's own list, and each adapter with its model as ``parent`` and its folder as ``root``, as vLLM lists them."""
        listed = _object(await _fetched(self._now, "/v1/models", self._key))
        rows = listed.get("data") or [{}]
        base = rows[0].get("id", "")
        more = [
            {"id": name, "object": "model", "owned_by": "llamacpp", "parent": base, "root": place} for name, (place, _) in self._now.adapters.items()
        ]
        return 200, {**listed, "data": [*rows, *more]}

    async def _load(self, asked: Mapping[str, Any]) -> tuple[int, Any]:
        name, place = str(asked.get("lora_name") or ""), str(asked.get("lora_path") or "")
        file = str(asked.get("lora_gguf") or place)
        if not name or not file.endswith(".gguf"):
            return 400, _error("Give lora_name, and in lora_path a LoRA adapter as a GGUF file.", 400)
        return await self._change({**self._now.adapters, name: (place, file)})

    async def _unload(self, asked: Mapping[str, Any]) -> tuple[int, Any]:
        name = str(asked.get("lora_name") or "")
        if name not in self._now.adapters:
            return 404, _error(f"No adapter {name!r} is loaded.", 404)
        return await self._change({k: v for k, v in self._now.adapters.items() if k != name})

    async def _change(self, adapters: Adapters) -> tuple[int, Any]:
        """Serve with other adapters; who is being answered is answered to the end."""
        async with self._changing:
            try:
                server = await asyncio.to_thread(self._start, adapters)
            except Exception as e:
                return 400, _error(str(e) or type(e).__name__, 400)
            before, self._now = self._now, Behind(server, adapters, self._slots, len(self._always))
        self._retire(before)
        return 200, {"success": True}

    def _retire(self, behind: Behind) -> None:
        """End a server that is no longer asked, once it has answered all."""
        if behind is not self._now and not behind.open:
            last = [behind.server]
            behind.server = None
            threading.Thread(target=last.clear, daemon=True).start()  # it ends with its last name, which may take a moment


def _choose(behind: Behind, asked: dict[str, Any], always: list[float]) -> int | None:
    """Write the adapter that a request means into it, and the slot that has read with the same; None where it may have any."""
    if "lora" not in asked:
        meant = list(behind.adapters).index(named) if (named := str(asked.get("model"))) in behind.adapters else None
        scales = [*always, *(1.0 if i == meant else 0.0 for i in range(len(behind.adapters)))]
        asked["lora"] = [{"id": i, "scale": scale} for i, scale in enumerate(scales)]
    wanted = json.dumps(asked["lora"], sort_keys=True)
    free = [i for i in range(behind.slots) if i not in behind.busy]
    if "id_slot" in asked or asked.get("n") not in (None, 1) or not free:
        asked["cache_prompt"] = False
        behind.read.clear()  # any slot may be taken
        return None
    slot = next((i for i in reversed(list(behind.read)) if i in free and behind.read[i] == wanted), None)
    if slot is None:
        slot = next((i for i in free if i not in behind.read), free[0])
        asked["cache_prompt"] = False
    asked["id_slot"] = slot
    behind.busy.add(slot)
    behind.read.pop(slot, None)
    behind.read[slot] = wanted  # the last one is the latest
    return slot


async def _forward(
    behind: Behind, method: str, target: str, headers: Mapping[str, str], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Pass a request on and its answer back, piece by piece; a caller who goes ends it. Whether it was answered to the end."""
    up_reader, up_writer = await asyncio.open_connection(behind.host, behind.port)
    gone, good = asyncio.ensure_future(reader.read(1)), None
    try:
        up_writer.write(_request(method, target, headers, body))
        await up_writer.drain()
        while True:
            piece = asyncio.ensure_future(up_reader.read(_PIECE))
            done, _ = await asyncio.wait({piece, gone}, return_when=asyncio.FIRST_COMPLETED)
            if piece not in done:
                piece.cancel()
                return False
            if not (data := piece.result()):
                return bool(good)
            good = data.startswith(b"HTTP/1.1 200") if good is None else good
            writer.write(data)
            await writer.drain()
    finally:
        gone.cancel()
        up_writer.close()


async def _fetched(behind: Behind, path: str, key: str) -> bytes:
    reader, writer = await asyncio.open_connection(behind.host, behind.port)
    try:
        writer.write(_request("GET", path, {"authorization": f"Bearer {key}"}, b""))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return _unchunked(body) if b"chunked" in head.lower() else body
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return await reader.readexactly(int(headers.get("content-length") or 0))
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


def _unchunked(body: bytes) -> bytes:
    out = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        count = int(size.split(b";")[0] or b"0", 16)
        out, body = out + body[:count], body[count + 2 :] if count else b""
    return out


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    passed = {k: v for k, v in headers.items() if k not in ("connection", "content-length", "transfer-encoding", "expect", "keep-alive")}
    passed |= {"connection": "close", **({"content-length": str(len(body))} if body or method == "POST" else {})}
    lines = "".join(f"{k}: {v}\r\n" for k, v in passed.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def _answered(status: int, said: Any) -> bytes:
    body = json.dumps(said).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(body), "Access-Control-Allow-Origin": "*", "Connection": "close"}
    lines = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items()))
    return "\r\n".join((*lines, "", "")).encode() + body


def _error(message: str, status: int) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "type": _KINDS.get(status, "invalid_request_error")}}


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
