"""The routes that `FastapiApp` was used for, as a FastAPI application. Loads FastAPI only where there are some."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

MARK = "__workbench_routes__"  # FastapiApp writes it


def decorated(function: Any) -> Iterator[tuple[str, str, dict[str, Any], Callable[..., Any]]]:
    """Method, path, FastAPI's own arguments and what answers, for the served object or function.

    An override without a decorator hides the route of what it overrides.
    """
    for method, path, options in getattr(function, MARK, ()):
        yield method, path, options, function
    for name in dir(type(function)):
        marked = getattr(getattr(type(function), name, None), MARK, ())
        for method, path, options in marked:
            yield method, path, options, getattr(function, name)


def fastapi_app(function: Any, taken: Collection[str], problem: Callable[[BaseException], dict[str, Any]]) -> FastAPI | None:
    """The application; None where nothing is decorated.

    Raises
    ------
    ValueError
        For a path that is the server's own.
    """
    found = list(decorated(function))
    if not found:
        return None
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    async def failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": problem(error)}, 500)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, exception_handlers={Exception: failed})
    for method, path, options, answer in found:
        if path in taken:
            raise ValueError(f"The path {path} is the server's own; give the decorated {answer.__name__} another one.")
        methods = ["GET", "LIST"] if method == "list" else [method.upper()]
        app.add_api_route(path, answer, methods=methods, **{"operation_id": f"{method}_{answer.__name__}", **options})
    return app
