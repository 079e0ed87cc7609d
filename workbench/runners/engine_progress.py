"""How far an engine is with loading, from the lines that it writes. Standard library only; starts and reads nothing itself.

A flavour is a list of patterns: what a line means, in the order in which an engine gets there. Progress never goes back, so
that what several processes of one engine write in turn does not make it jump.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING or __package__:
    from . import serving
else:
    import serving

_LONGEST = 65536  # characters of a line that is not yet whole
PHASES = ("start", "download", "weights", "compile", "cache", "warmup", "serve")
TEXTS = {
    "start": "Starting",
    "download": "Downloading",
    "weights": "Loading the weights",
    "compile": "Compiling",
    "cache": "Making the cache",
    "warmup": "Warming up",
    "serve": "Opening the port",
}


@dataclass(frozen=True)
class Sign:
    """A line's form and the phase that it shows. Named groups: ``done`` and ``total`` (numbers), ``percent``.

    ``alone`` is one that counts the parts of a whole: what is said of each part in between is passed over.
    """

    phase: str
    pattern: re.Pattern[str]
    text: str = ""
    unit: str = ""
    alone: bool = False


def _signs(*rows: tuple[str, ...]) -> tuple[Sign, ...]:
    return tuple(Sign(phase, re.compile(pattern), *words[:2]) for phase, pattern, *words in rows)  # type: ignore[arg-type]  # two words at most


_HUB = _signs(
    ("download", r"Fetching (?P<total>\d+) files:.*?\|\s*(?P<done>\d+)/\d+", "Downloading", "files"),
    ("download", r"(?:model|pytorch_model|diffusion_pytorch_model)[-\w.]*\.(?:safetensors|bin):\s+(?P<percent>\d+)%\|", "Downloading", "%"),
)
_TRANSFORMERS = _signs(
    ("weights", r"Loading checkpoint shards:\s*\d+%\|.*?\|\s*(?P<done>\d+)/(?P<total>\d+)", "", "shards"),
    ("weights", r"Loading weights:\s*\d+%\|.*?\|\s*(?P<done>\d+)/(?P<total>\d+)", "", "tensors"),
)
FLAVOURS: Mapping[str, tuple[Sign, ...]] = {
    "vllm": (
        *_HUB,
        *_signs(
            ("start", r"non-default args:", "Reading the configuration"),
            ("start", r"Initializing a V1 LLM engine", "Starting the engine's processes"),
            ("weights", r"Starting to load model"),
            (
                "weights",
                r"Loading (?:safetensors|pt|bin\w*|\w+) checkpoint shards:\s*\d+% Completed \| (?P<done>\d+)/(?P<total>\d+)",
                "",
                "shards",
            ),
            ("weights", r"Loading weights took"),
            (
                "compile",
                r"(?:Start compiling|Compiling a graph|Dynamo bytecode transform|torch\.compile takes|Cache the graph|Using cache directory)",
            ),
            ("cache", r"(?:Memory profiling|Available KV cache memory|KV cache size:|for KV cache|# GPU blocks)"),
            ("warmup", r"Capturing CUDA graphs?\b[^:]*:\s*\d+%\|.*?\|\s*(?P<done>\d+)/(?P<total>\d+)", "Capturing CUDA graphs", "shapes"),
            ("warmup", r"(?:Capturing (?:the model|CUDA graph)|Graph capturing finished|[Ww]arming up)", "Warming up"),
            ("serve", r"(?:Starting vLLM (?:API )?server|Application startup)"),
        ),
    ),
    "sglang": (
        *_HUB,
        *_signs(
            ("weights", r"Load weight begin"),
            ("weights", r"Loading \w+ checkpoint shards:\s*\d+% Completed \| (?P<done>\d+)/(?P<total>\d+)", "", "shards"),
            ("weights", r"Multi-thread loading shards:\s*\d+% Completed \| (?P<done>\d+)/(?P<total>\d+)", "", "shards"),
            ("weights", r"Load weight end"),
            ("cache", r"(?:KV Cache is allocated|Memory pool end|max_total_num_tokens=)"),
            ("warmup", r"Capturing batches.*?:\s*\d+%\|.*?\|\s*(?P<done>\d+)/(?P<total>\d+)", "Capturing CUDA graphs", "shapes"),
            ("warmup", r"Capture cuda graph begin", "Capturing CUDA graphs"),
            ("serve", r"(?:Application startup complete|Uvicorn running|The server is fired up)"),
        ),
    ),
    "lmdeploy": (
        *_HUB,
        *_TRANSFORMERS,
        *_signs(
            ("weights", r"Loading weights from safetensors:\s*\d+%\|.*?\|\s*(?P<done>\d+)/(?P<total>\d+)", "", "shards"),
            ("weights", r"Convert to turbomind format:\s*(?P<percent>\d+)%\|", "Converting the weights", "%"),
            ("cache", r"(?:\[BlockManager\]|max_block_count|block_size|Building GPUModelAgent)"),
            ("warmup", r"[Ww]arm(?:ing)? ?up"),
            ("serve", r"(?:HINT:\s+Please open|Uvicorn running|Application startup)"),
        ),
    ),
    "lightllm": (
        *_HUB,
        *_TRANSFORMERS,
        *_signs(
            ("weights", r"(?:pre-?loading|[Ll]oad(?:ing)? (?:model )?weights?).*?(?P<percent>\d+)%\|", "", "%"),
            ("warmup", r"(?:begin check max_len infer|warmup|[Cc]apture cudagraph)"),
            ("serve", r"(?:Uvicorn running|server start up ok|Application startup)"),
        ),
    ),
    "infinity": (
        *_HUB,
        *_TRANSFORMERS,
        *_signs(
            ("weights", r"Load pretrained SentenceTransformer|Loading model"),
            ("warmup", r"(?:Getting timings for batch_size|warm-?up)"),
            ("serve", r"(?:Uvicorn running|Application startup)"),
        ),
    ),
    "torch": (
        *_HUB,
        Sign("weights", re.compile(r"Loading pipeline components\.\.\.:\s*\d+%\|.*?\|\s*(?P<done>\d+)/(?P<total>\d+)"), "", "components", alone=True),
        *_TRANSFORMERS,
        *_signs(("weights", r"Load pretrained SentenceTransformer")),
    ),
    "llama_cpp": _signs(
        ("weights", r"load_tensors: loading model tensors"),
        ("cache", r"(?:llama_context: constructing|llama_kv_cache[\w:]*\s+size\s*=|KV self size)"),
        ("warmup", r"warming up the model"),
    ),
}


class Progress:
    """What an engine's lines have said so far.

    Parameters
    ----------
    flavour : str
        A key of `FLAVOURS`.
    """

    def __init__(self, flavour: str) -> None:
        self._signs = FLAVOURS[flavour]
        self._at, self._alone = 0, ""
        self._begun: dict[str, tuple[float, float]] = {}  # unit of a phase: when its first count was seen, and what it was
        self._last: dict[str, Any] = {}

    def take(self, line: str) -> dict[str, Any] | None:
        """The fields of a ``progress`` event when the line is news, else None."""
        for sign in self._signs:
            found = sign.pattern.search(line)
            if found and PHASES.index(sign.phase) >= self._at:
                self._at = PHASES.index(sign.phase)
                if sign.alone:
                    self._alone = sign.phase
                elif self._alone == sign.phase:
                    return None
                event = self._event(sign, found)
                if event == self._last:
                    return None
                self._last = event
                return self._with_eta(event)
        return None

    def _event(self, sign: Sign, found: re.Match[str]) -> dict[str, Any]:
        event: dict[str, Any] = {"phase": sign.phase, "text": sign.text or TEXTS[sign.phase]}
        groups = found.groupdict()
        if groups.get("percent") is not None:
            event |= {"done": float(groups["percent"]), "total": 100.0, "unit": "%"}
        elif groups.get("done") is not None:
            event |= {"done": float(groups["done"]), "total": float(groups["total"]), "unit": sign.unit}
        return event

    def _with_eta(self, event: dict[str, Any]) -> dict[str, Any]:
        if "done" not in event:
            return event
        now, done = time.monotonic(), event["done"]
        began, first = self._begun.setdefault(event["phase"] + event["unit"], (now, done))
        if done > first:
            return {**event, "eta": round((event["total"] - done) * (now - began) / (done - first), 1)}
        return event


def reader(flavour: str) -> Callable[[str], None]:
    """What to call with each line that an engine writes while it loads; reports ``progress`` events.

    An unknown flavour reports nothing.
    """
    if flavour not in FLAVOURS:
        return lambda line: None
    progress = Progress(flavour)

    def hear(line: str) -> None:
        event = progress.take(line)
        if event is not None:
            serving.report("progress", **event)

    return hear


@contextlib.contextmanager
def listening(flavour: str) -> Iterator[None]:
    """Report the progress of an engine that loads in this process and draws its bars on the standard error."""
    before = sys.stderr
    sys.stderr = _Heard(before, reader(flavour))
    try:
        yield
    finally:
        sys.stderr = before


class _Heard(io.TextIOBase):
    """Writes on, and hears whole lines; those that a bar writes over end with a carriage return."""

    def __init__(self, to: TextIO, hear: Callable[[str], None]) -> None:
        self._to, self._hear, self._begun = to, hear, ""

    def write(self, text: str) -> int:
        *whole, self._begun = re.split(r"[\r\n]", self._begun[-_LONGEST:] + text)
        for line in whole:
            self._hear(line)
        return self._to.write(text)

    def flush(self) -> None:
        self._to.flush()

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._to.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has a plain attribute
        return self._to.encoding
