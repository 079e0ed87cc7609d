"""`FastapiApp`: methods of a served object as addresses of their own. It only marks them; the server makes the routes.

Does not know FastAPI, which the server loads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...errors import ArgumentError

MARK = "__workbench_routes__"
F = TypeVar("F", bound=Callable[..., Any])


def _marker(method: str, path: str, options: dict[str, Any]) -> Callable[[F], F]:
    if not path.startswith("/"):
        raise ArgumentError(f"{path!r} is no path.", "", f"Write @FastapiApp.{method}('/{path}').")

    def mark(function: F) -> F:
        setattr(function, MARK, (*getattr(function, MARK, ()), (method, path, options)))
        return function

    return mark


class FastapiApp:
    """Decorators for methods of what a `ServerModule` serves: each gets an address of its own, by FastAPI's rules.

    Parameters in the path and the query, and bodies, are read by the method's annotations; ``**options`` are FastAPI's own, such
    as ``summary`` or ``status_code``. An override without a decorator takes the address away.

    Examples
    --------
    >>> class Shop:
    ...     def __call__(self, text): return text
    ...     @FastapiApp.get('/price/{item}')
    ...     def price(self, item: str, pieces: int = 1): return {'item': item, 'price': 3 * pieces}
    >>> s = wb.ServerModule(Shop()).start()
    """

    @staticmethod
    def get(path: str, **options: Any) -> Callable[[F], F]:
        """``GET path``."""
        return _marker("get", path, options)

    @staticmethod
    def post(path: str, **options: Any) -> Callable[[F], F]:
        """``POST path``."""
        return _marker("post", path, options)

    @staticmethod
    def put(path: str, **options: Any) -> Callable[[F], F]:
        """``PUT path``."""
        return _marker("put", path, options)

    @staticmethod
    def list(path: str, **options: Any) -> Callable[[F], F]:
        """``GET path``, and the method ``LIST`` that some clients use."""
        return _marker("list", path, options)

    @staticmethod
    def delete(path: str, **options: Any) -> Callable[[F], F]:
        """``DELETE path``."""
        return _marker("delete", path, options)
