"""Build the pocket model from nothing: ``python -m workbench.pocket.make --out FOLDER``; about ten minutes on two cores.

Writes ``FOLDER/data`` and ``FOLDER/models/pocket``. Needs torch, transformers 5, tokenizers, safetensors and gguf; the workbench's own environment
``gguf`` has them. No network, no GPU. With ``--data-only`` it needs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from . import task
from .train import Recipe


def make(out: Path, recipe: Recipe) -> None:
    """Tokenizer, weights, files."""
    from . import export, gguf_file
    from .tokenizer import train_tokenizer
    from .train import train

    model = out / "models" / "pocket"
    model.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    tokenizer = train_tokenizer(recipe.vocabulary, recipe.seed)
    print(f"tokenizer ready after {time.monotonic() - begin:.1f} s", flush=True)
    network, log = train(recipe, tokenizer)
    export.save(model, tokenizer, network)
    gguf_file.write(model, model / "pocket-q8_0.gguf")
    record = {"recipe": asdict(recipe), "seconds": round(time.monotonic() - begin), "loss": log}
    (model / "training.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    print(f"done after {record['seconds']} s", {f.name: f.stat().st_size for f in sorted(model.iterdir())})


def main() -> None:
    usual = Recipe()
    parser = argparse.ArgumentParser(prog="python -m workbench.pocket.make", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--threads", type=int, default=usual.threads)
    parser.add_argument("--compile", action="store_true", help="torch.compile: a fifth faster, needs a C++ compiler")
    parser.add_argument("--data-only", action="store_true", help="write the rows, train nothing")
    given = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", CUDA_VISIBLE_DEVICES="")
    task.write(given.out / "data")
    if not given.data_only:
        make(given.out, Recipe(seed=given.seed, steps=given.steps, threads=given.threads, compile=given.compile))


if __name__ == "__main__":
    main()
