"""One model on one engine on one machine: what it takes, and what would make it fit. Pure arithmetic; `workbench.deploy.fit` is its face."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.kv_cache import CacheShape
from ..core.models import ModelMeta
from .fit_engines import DTYPES, GGUF_BYTES, Memory
from .fit_values import Device, Fit

_LEAST = 256  # tokens: a shorter context is of no use
_ENOUGH = 4096  # tokens: with so many, a shorter context is the first thing to think of
_BLOCK = 128  # tokens: engines give their cache out in blocks, the largest of which are vLLM's on a CPU
_CHAT = ("llm", "vlm")


@dataclass(frozen=True, slots=True)
class Case:
    """A model, an engine and a machine."""

    meta: ModelMeta
    memory: Memory
    devices: Sequence[Device]

    def assess(self, a: Mapping[str, Any]) -> Fit | None:
        used, shards = self._used(a)
        if not used:
            return None
        parts = 1 if not used[0].gpu else shards  # without GPUs all parts are in the same memory
        weights = -(-self._weights(a) // parts)
        tokens, shape = self._tokens(a), self._shape()
        per_token = kv = 0
        if shape is not None and tokens:
            size = self._cache_bytes(a)
            pieces, layers = self._heads_over(a, parts)
            per_token = int(shape.numbers(1, pieces, self.memory.compressed) * size) // layers
            kv = int(self._numbers(shape, tokens, pieces, a) * size) // layers
        beside = self._beside(weights, used[0].gpu)
        tightest = min(used, key=lambda d: d.free)
        need, free, name = self._demand(a, weights, kv, beside, tightest)
        return Fit(weights, per_token, kv, beside, need, free, name, need <= free, "", tokens)

    def fix(self, a: Mapping[str, Any]) -> str:
        """The first change of those that could help that does; what costs least comes first."""
        for change in self._changes(a):
            found = self.assess({**a, **change})
            if found is not None and found.fits:
                return ", ".join(f"{name}={value!r}" for name, value in change.items())
        return ""

    def _changes(self, a: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What could be changed. Where the engine takes a part of the device whole, that part may have to be another one as well."""
        m = self.memory
        shares, spreads, quantized = list(self._share(a)), list(self._spread(a)), list(self._quantized(a))
        bases: list[dict[str, Any]] = [{}, *shares]

        def with_each(changes: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
            yield from ({**base, **change} for base in bases for change in changes)

        def shorter(least: int, changes: Sequence[dict[str, Any]] = ({},)) -> Iterator[dict[str, Any]]:
            for change in with_each(changes):
                yield from ({**change, **length} for length in self._shorter({**a, **change}, least))

        yield from self._smaller_cache(a)
        yield from shares
        if any(n in a for n in (m.length, *m.lengths) if n):  # whoever names a length wants it
            yield from self.larger_cache(a)
            yield from with_each(spreads)
        yield from shorter(_ENOUGH)
        yield from with_each(spreads)
        yield from with_each(quantized)
        yield from shorter(_LEAST)
        yield from shorter(_LEAST, [*spreads, *quantized])
        yield from self.larger_cache(a)
        yield from self._elsewhere(a)

    def _smaller_cache(self, a: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """A cache of the size that the memory has room for, where one was asked for in bytes."""
        name = self.memory.cache_bytes
        held, found = _bytes(a.get(name)) if name else 0, self.assess(a)
        if found is not None and 0 < found.need - found.free < held:
            room = int(0.95 * (held - (found.need - found.free)))
            yield {name: f"{room >> 30}G" if room >> 30 else f"{max(1, room >> 20)}M"}

    def larger_cache(self, a: Mapping[str, Any], least: int = 0) -> Iterator[dict[str, Any]]:
        """A cache that has room for one text of the length that was asked for, and ``least`` bytes, where one was asked for in bytes."""
        name, tokens = self.memory.cache_bytes, self._tokens(a)
        held = _bytes(a.get(name)) if name else 0
        if not held or not tokens:
            return
        found = self.assess({**a, self.memory.length: (-(-tokens // _BLOCK) + 1) * _BLOCK})
        wanted = max(found.kv, least) if found is not None else 0
        if wanted > held:
            yield {name: f"{-(-wanted // (64 << 20)) * 64}M"}

    def _share(self, a: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Another part of the device, for engines that take a part whole."""
        m = self.memory
        if m.share_of != "total" or (m.cache_bytes and a.get(m.cache_bytes)):
            return
        used, _ = self._used(a)
        if used and used[0].gpu:
            tightest = min(used, key=lambda d: d.free)
            share = int(100 * tightest.free / max(1, tightest.total)) / 100
            if share >= 0.05:
                yield {m.share: min(share, 0.95)}  # the rest is for other processes' contexts

    def _spread(self, a: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        gpus = [d for d in self.devices if d.gpu]
        if not self.memory.shards or len(gpus) < 2:
            return
        shape, name = self._shape(), self.memory.shards[0]
        for n in (2, 4, 8, 16):
            if number(a.get(name), 1) < n <= len(gpus) and (shape is None or shape.heads % n == 0):
                yield {name: n}

    def _quantized(self, a: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        gpu = bool((used := self._used(a)[0]) and used[0].gpu)
        if self.meta.type not in _CHAT or self.meta.details.get("quantization") or not (gpu or self.memory.quantizes_on_cpu):
            return
        for name, value in self.memory.quantizations:
            if not (name == "outtype" and self.meta.gguf) and a.get(name) != value:
                yield {name: value}

    def _elsewhere(self, a: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        gpus = [d for d in self.devices if d.gpu]
        if self.memory.device and gpus:
            yield from ({self.memory.device: f"cuda:{i}"} for i in range(len(gpus)))
            yield {self.memory.device: "cpu"}

    def _shorter(self, a: Mapping[str, Any], least: int) -> Iterator[dict[str, Any]]:
        """The longest length that fits, when it is no shorter than ``least``."""
        m, now = self.memory, self._tokens(a)
        if not m.length or self._shape() is None or now <= least:
            return

        def written(tokens: int) -> dict[str, Any]:
            block = number(a.get(m.lengths[1]), 32) if m.lengths else 1
            return {m.length: max(1, tokens // block)}

        def fits(tokens: int) -> bool:
            found = self.assess({**a, **written(tokens)})
            return found is not None and found.fits

        if not fits(least):
            return
        most = self.meta.context_length * max(1, number(a.get(m.slots), m.slots_default)) if m.slots and not m.lengths else 0
        if least <= most < now and fits(most):  # more than the model was made for is of no use
            yield written(most)
            return
        low, high = least, now
        while high - low > 16:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        step = 1024 if low >= _ENOUGH else 256
        yield written(low // step * step)

    def _used(self, a: Mapping[str, Any]) -> tuple[list[Device], int]:
        """The devices that hold a part, and how many parts there are; no device where that is not one machine's business."""
        gpus, here = [d for d in self.devices if d.gpu], [d for d in self.devices if not d.gpu]
        shards = 1
        for name in self.memory.shards:
            shards *= max(1, number(a.get(name), 1))
        wish = str(a.get(self.memory.device) or "") if self.memory.device else ""
        if not self.memory.gpu or not gpus or wish == "cpu":
            return here[:1], shards
        if wish.startswith("cuda:") and wish[5:].isdigit():
            return gpus[int(wish[5:]) : int(wish[5:]) + 1], 1
        return (gpus[:shards] if shards <= len(gpus) else []), shards

    def _heads_over(self, a: Mapping[str, Any], parts: int) -> tuple[int, int]:
        """Over how many devices heads are spread, and over how many layers."""
        if parts == 1 or len(self.memory.shards) < 2:
            return parts, 1
        layers = max(1, number(a.get(self.memory.shards[1]), 1))
        return max(1, parts // layers), layers

    def _demand(self, a: Mapping[str, Any], weights: int, kv: int, beside: int, device: Device) -> tuple[int, int, str]:
        """What must be free, what is, and where."""
        m = self.memory
        held = _bytes(a.get(m.cache_bytes)) if m.cache_bytes else 0
        if held:
            if kv > held:
                return kv, held, m.cache_bytes
            return weights + beside + held, device.free, device.name
        need = weights + kv + beside
        if not device.gpu and m.share_on_cpu:
            if m.length not in a:
                kv = min(kv, int(max(0, device.free - weights - beside) * m.share_on_cpu))
            return weights + beside + int(kv / m.share_on_cpu), device.free, device.name
        share = _float(a.get(m.share), m.share_default) if m.share else 1.0
        if not device.gpu or not 0 < share <= 1:
            return need, device.free, device.name
        if m.share_of == "total":
            whole = int(device.total * share)
            return (whole, device.free, device.name) if need <= whole else (need, min(whole, device.free), device.name)
        if m.share_of == "rest":
            need = weights + beside + int(kv / share)
        elif m.share_of == "free":
            need = max(int((weights + kv) / share), need)
        return need, device.free, device.name

    def _weights(self, a: Mapping[str, Any]) -> int:
        meta, m = self.meta, self.memory
        if meta.details.get("quantization") or (meta.format == "gguf"):
            return meta.size_bytes
        for (name, value), size in m.quantizations.items():
            if str(a.get(name) or "").lower().startswith(value) and meta.parameters:  # vLLM has several kinds of fp8
                return self._with_layers_of(size)
        if m.dtype == "outtype":
            kind = str(a.get(m.dtype) or "q8_0")
            return int(meta.parameters * GGUF_BYTES[kind]) if kind in GGUF_BYTES and meta.parameters else meta.size_bytes
        size = self._dtype_bytes(a)
        stored = DTYPES.get(meta.dtype, 0.0)
        if size and meta.parameters:
            return int(meta.parameters * size)
        return int(meta.size_bytes * size / stored) if size and stored else meta.size_bytes

    def _with_layers_of(self, size: float) -> int:
        """Layers in ``size`` bytes a weight, with the vocabulary in 16 bits: engines leave that as it is."""
        tables = 1 if self.meta.details.get("tied", True) else 2
        words = min(self.meta.parameters, self.meta.vocabulary * int(self.meta.details.get("hidden_size") or 0) * tables)
        return int((self.meta.parameters - words) * size + words * 2)

    def _dtype_bytes(self, a: Mapping[str, Any]) -> float:
        """Bytes a weight as the engine loads it; 0 where the files decide."""
        wish = str(a.get(self.memory.dtype) or "auto").lower() if self.memory.dtype else "auto"
        if wish in DTYPES:
            return DTYPES[wish]
        halves = self.memory.share_of != "" and DTYPES.get(self.meta.dtype) == 4.0
        return 2.0 if halves else 0.0  # engines for GPUs load 32-bit files in 16 bits unless they are told not to

    def _cache_bytes(self, a: Mapping[str, Any]) -> float:
        m = self.memory
        if m.dtype == "outtype":
            kinds = [str(a.get(n) or "f16").lower() for n in m.cache_dtype]
            return sum(GGUF_BYTES.get(k, 2.0) for k in kinds) / len(kinds)
        wish = next((str(a[n]).lower() for n in m.cache_dtype if a.get(n)), "")
        if "fp8" in wish or wish in ("8", "int8"):
            return 1.0
        if wish in ("4", "int4"):
            return 0.5
        size = self._dtype_bytes(a) or DTYPES.get(self.meta.dtype, 2.0)
        return DTYPES.get(wish, size if size >= 2.0 else 2.0)

    def _numbers(self, shape: CacheShape, tokens: int, pieces: int, a: Mapping[str, Any]) -> int:
        m = self.memory
        slots = max(1, number(a.get(m.slots), m.slots_default)) if m.slots else 1
        windows = m.windows and not a.get("swa_full") and not a.get("disable_sliding_window")
        return shape.numbers(-(-tokens // slots), pieces, m.compressed, windows=windows) * slots

    def _tokens(self, a: Mapping[str, Any]) -> int:
        m, context = self.memory, self.meta.context_length
        if not m.length or self.meta.type not in _CHAT:
            return 0
        if m.lengths:
            blocks, size = (number(a.get(n), 0) for n in m.lengths)
            return (blocks or 256) * (size or 32)
        asked = a.get(m.length)
        if asked not in (None, 0, "0"):
            return max(0, number(asked, 0)) or 1  # "auto" and -1 take what there is
        if asked in (0, "0"):
            return context
        if not m.default_length:
            return context
        slots = max(1, number(a.get(m.slots), m.slots_default)) if m.slots else 1
        return min((context or 8192) * slots, m.default_length)

    def _beside(self, weights: int, gpu: bool) -> int:
        m = self.memory
        fixed = (m.beside_gpu if gpu else m.beside_cpu) + m.logits * self.meta.vocabulary * 4
        return fixed + int(0.03 * weights)

    def _shape(self) -> CacheShape | None:
        told = self.meta.details.get("cache")
        return CacheShape(**told) if isinstance(told, Mapping) else None


def number(value: Any, default: int) -> int:
    """A count as people write it to an engine: 8192, "8192", "8k" (1000), "8K" (1024)."""
    if isinstance(value, bool) or value is None:
        return default
    text = str(value).strip()
    scale = {"k": 1000, "K": 1024, "m": 10**6, "M": 1 << 20, "g": 10**9, "G": 1 << 30}.get(text[-1:], 0)
    try:
        return int(float(text[:-1]) * scale) if scale else int(float(text))
    except (ValueError, OverflowError):
        return default


def _bytes(value: Any) -> int:
    return max(0, number(value, 0))


def _float(value: Any, default: float) -> float:
    try:
        return default if value is None else float(value)
    except (TypeError, ValueError):
        return default
