"""What an answer cost, from the price lists that come with ``genai-prices``: nothing is asked of the network. The one importer of that
package, which takes a third of a second to load and is therefore loaded beside the first request. Knows no module.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from ..core.messages import Usage

_thread: threading.Thread | None = None
_lock = threading.Lock()


class Cost(float):
    """US dollars by the vendor's published prices: an estimate of the bill, not the bill.

    Attributes
    ----------
    estimated : bool
        Whether the tokens were counted here, because the vendor told none.
    """

    estimated: bool
    __slots__ = ("estimated",)

    def __new__(cls, dollars: float, estimated: bool = False) -> Cost:
        self = float.__new__(cls, dollars)
        self.estimated = estimated
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (float(self), self.estimated)

    def __add__(self, other: float) -> Cost:
        return Cost(float(self) + float(other), self.estimated or getattr(other, "estimated", False))

    __radd__ = __add__


def prepare() -> None:
    """Load the price lists in the background, so that the first answer does not wait for them."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_prices, name="workbench-prices", daemon=True)
            _thread.start()


def cost(prices: str, model: str, usage: Usage) -> Cost | None:
    """What some tokens cost.

    Parameters
    ----------
    prices : str
        The vendor's id in genai-prices; empty where it has none.
    model : str
        The vendor's name of the model.
    usage : Usage

    Returns
    -------
    Cost or None
        None where nobody knows the price, or no token was used.
    """
    if not prices or not model or not usage.total_tokens or (lists := _prices()) is None:
        return None
    spent = lists.Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        **{k: v for k, v in {"cache_read_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}.items() if v},
    )
    try:
        price = lists.calc_price(spent, model_ref=model, provider_id=prices).total_price
    except Exception:  # unknown model or vendor, or usage that contradicts itself: the price is not known
        return None
    return Cost(float(price), usage.estimated)


@lru_cache(maxsize=1)
def _prices() -> Any:
    try:
        import genai_prices
    except ImportError:
        return None
    return genai_prices
