"""Vectors and rankings of long lists: cut into requests, several under way at once, in order. Knows no user's arguments."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ...core.messages import Usage
from ...core.typed import EmbedRequest, Item, Ranking, RerankRequest, Vectors
from ...errors import BadRequest, ContextTooLong, EndpointError
from .typed_call import OneCall

T = TypeVar("T")


async def vectors(call: OneCall, items: Sequence[Item], parameters: Mapping[str, Any]) -> tuple[list[Any], Usage]:
    """A vector for each input, in order, and the tokens they took."""
    size, ready = call.batch_size, 0

    async def batch(start: int) -> Vectors:
        nonlocal ready
        found = await _batch(call, items[start : start + size], parameters, start)
        ready += len(found.vectors)
        if call.told is not None:
            call.told(f"{ready:,} of {len(items):,}")
        return found

    done = await _side_by_side(call.calls.num_worker, [partial(batch, i) for i in range(0, len(items), size)])
    return [row for found in done for row in found.vectors], sum((found.usage for found in done), Usage())


async def ranking(
    call: OneCall, query: Item, items: Sequence[Item], wanted: int, parameters: Mapping[str, Any]
) -> tuple[list[tuple[int, float]], Usage]:
    """(index, score) of the ``wanted`` best, the best first, and the tokens they took."""
    size = call.batch_size
    asked = partial(_ranked, call, query, parameters, wanted)
    done = await _side_by_side(call.calls.num_worker, [partial(asked, items[i : i + size], i) for i in range(0, len(items), size)])
    pairs = sorted((p for found in done for p in found.pairs), key=lambda p: (-p[1], p[0]))
    return pairs[:wanted], sum((found.usage for found in done), Usage())


async def _batch(call: OneCall, items: Sequence[Item], parameters: Mapping[str, Any], start: int) -> Vectors:
    """The vectors of some inputs, ``start`` being the number of the first; in two halves when the server finds them too many."""
    try:
        found: Vectors = await call.send(EmbedRequest(tuple(items), call.endpoint.model, parameters))
    except EndpointError as e:
        if not _too_much(e):
            raise
        if len(items) < 2:
            if isinstance(e, ContextTooLong):
                e.what = f"An input is too long for {call.endpoint.model or 'the model'}."
                e.fix = "Shorten it, or serve the model with a larger context where it has one."
            e.what += f" It was input {start} of the list." if start else ""
            raise
        middle = len(items) // 2
        first = await _batch(call, items[:middle], parameters, start)  # a request that is wrong for another reason ends here
        second = await _batch(call, items[middle:], parameters, start + middle)
        return Vectors((*first.vectors, *second.vectors), first.usage + second.usage, first.model, second.request_id)
    if len(found.vectors) != len(items):
        raise EndpointError(
            f"{call.endpoint.source} gave {len(found.vectors)} vectors for {len(items)} inputs.",
            "It does not understand the request's form.",
            "Try batch_size=1, or check that the model makes vectors.",
            source=call.endpoint.source,
            model=call.endpoint.model,
            request_id=found.request_id,
        )
    return found


async def _ranked(call: OneCall, query: Item, parameters: Mapping[str, Any], wanted: int, items: Sequence[Item], start: int) -> Ranking:
    """The ranking of some documents, ``start`` being the number of the first: a reranker judges each by itself."""
    found: Ranking = await call.send(RerankRequest(query, tuple(items), min(wanted, len(items)), call.endpoint.model, parameters))
    return replace(found, pairs=tuple((start + i, score) for i, score in found.pairs if 0 <= i < len(items)))


async def _side_by_side(workers: int, calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """All results in order, some requests at once; the first error ends the others."""
    turns = asyncio.Semaphore(workers)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with turns:
            return await call()

    tasks = [asyncio.ensure_future(one(c)) for c in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def _too_much(error: EndpointError) -> bool:
    """Whether fewer inputs might be accepted. llama.cpp, for one, says so with HTTP 500."""
    return isinstance(error, BadRequest | ContextTooLong) or bool(re.search(r"too (?:large|many|long)", error.cause))
