"""Reads command lines with llama.cpp's own parser, and the same arguments with our runner: prints where they differ, as JSON.

``llama_cpp_parser.py CASES.json RUNNERS``, in an interpreter that has xllamacpp and not workbench. The parser is a function of the wheel's
library; it fills the C++ object that begins behind the header of a ``CommonParams``.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

PARSE = "_Z19common_params_parseiPPcR13common_params13llama_examplePFviS0_E"
SERVER = 12  # LLAMA_EXAMPLE_SERVER


def parsed(xllamacpp: Any, line: list[str]) -> Any:
    library = ctypes.CDLL(str(next(Path(xllamacpp.__file__).parent.glob("xllamacpp*.so"))))
    parse = getattr(library, PARSE)
    parse.restype = ctypes.c_bool
    params = xllamacpp.CommonParams()
    words = [b"llama-server", *(w.encode() for w in line)]
    argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
    if not parse(len(words), argv, ctypes.c_void_p(id(params) + object.__basicsize__), SERVER, None):
        raise ValueError(f"llama.cpp does not take {line}")
    return params


def at(params: Any, place: str) -> str:
    for part in place.split("."):
        params = getattr(params, part)
    if place == "lora_adapters":
        return str([(a.path, a.scale) for a in params])
    if place == "default_template_kwargs":
        return str(sorted({"preserve_reasoning": "true", **params}.items()))  # which its parser adds
    return str(params)


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text())
    sys.path.insert(0, sys.argv[2])
    import serve_llama_cpp  # type: ignore[import-not-found]
    import xllamacpp

    different = {}
    for name, case in cases.items():
        theirs = parsed(xllamacpp, case["line"])
        ours = serve_llama_cpp.parameters(xllamacpp, {"model": "m", "served_name": "m", "parameters": dict(case["placed"])}, 0)
        for place in case["placed"]:
            if at(theirs, place) != at(ours, place):
                different[f"{name}: {place}"] = [at(theirs, place)[:200], at(ours, place)[:200]]
    print(json.dumps(different))


if __name__ == "__main__":
    main()
