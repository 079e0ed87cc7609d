"""Formatters: what is made of an output. ``formatter.JsonFormatter``, ``.YamlFormatter``, … and what plugins register.

Names are the registry's, in any case, with or without ``Formatter`` at their end: ``formatter.Json`` is `JsonFormatter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import registry
from .base import FormatterBase, formatter_of
from .chain import Chain, Formatter, chain
from .files import FileFormatter, decode_query_with_filepaths, encode_query_with_filepaths, lazyllm_merge_query, merge_queries
from .function_call import FunctionCallFormatter
from .json_like import JsonLike
from .plain import EmptyFormatter, StrFormatter

if TYPE_CHECKING:
    from .json_text import JsonFormatter
    from .python_text import PythonFormatter
    from .yaml_text import YamlFormatter

__all__ = [
    "Chain",
    "EmptyFormatter",
    "FileFormatter",
    "Formatter",
    "FormatterBase",
    "FunctionCallFormatter",
    "JsonFormatter",
    "JsonLike",
    "PythonFormatter",
    "StrFormatter",
    "YamlFormatter",
    "chain",
    "decode_query_with_filepaths",
    "encode_query_with_filepaths",
    "formatter_of",
    "lazyllm_merge_query",
    "merge_queries",
]


def __getattr__(name: str) -> Any:
    return registry.member("formatter", name)


def __dir__() -> list[str]:
    return sorted({*__all__, *registry.names("formatter")})
