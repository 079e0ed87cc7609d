"""Flows: callables made of callables. Modules, functions and flows one after the other, side by side, chosen, repeated or as a graph.

Does not know what a module is beyond being callable; see ``docs/flows.md``.
"""

from .base import FlowBase
from .binding import Placeholder, _0, _1, _2, _3, _4, _5, _6, _7, _8, _9, bind, save_pipeline_result
from .branching import diverter, parallel
from .carriers import arguments, kwargs, package
from .chaining import pipeline
from .choosing import ifs, switch
from .graphs import graph
from .group import barrier
from .mapping import warp
from .repeating import loop

__all__ = [
    "FlowBase",
    "Placeholder",
    "_0",
    "_1",
    "_2",
    "_3",
    "_4",
    "_5",
    "_6",
    "_7",
    "_8",
    "_9",
    "arguments",
    "barrier",
    "bind",
    "diverter",
    "graph",
    "ifs",
    "kwargs",
    "loop",
    "package",
    "parallel",
    "pipeline",
    "save_pipeline_result",
    "switch",
    "warp",
]
