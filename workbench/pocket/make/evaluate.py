"""Exact match of a model folder on rows, greedy, by transformers: ``python -m workbench.pocket.make.evaluate MODEL ROWS.jsonl…``

The workbench evaluates through a deployed model; this is the check without any of it. Needs torch and transformers.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

BATCH = 50


def answers(model: Path, questions: list[str]) -> list[str]:
    """The model's greedy answers, in order."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model, padding_side="left")
    network: Any = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16).eval()
    texts = [tokenizer.apply_chat_template([{"role": "user", "content": q}], tokenize=False, add_generation_prompt=True) for q in questions]
    found: list[str] = []
    for i in range(0, len(texts), BATCH):
        inputs = tokenizer(texts[i : i + BATCH], return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.no_grad():
            out = network.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=120, do_sample=False)
        found += tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("rows", type=Path, nargs="+")
    parser.add_argument("--wrong", action="store_true", help="print every wrong answer")
    given = parser.parse_args()
    for file in given.rows:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        asked: Counter[str] = Counter()
        right: Counter[str] = Counter()
        for row, answer in zip(rows, answers(given.model, [r["input"] for r in rows]), strict=True):
            skill, good = row.get("skill", "all"), answer.strip() == row["output"].strip()
            asked[skill] += 1
            right[skill] += good
            if given.wrong and not good:
                print(f"{skill}: {row['input']!r}\n  expected {row['output']!r}\n  got      {answer!r}")
        print(f"{file.name}: {right.total()} of {asked.total()} = {100 * right.total() / asked.total():.1f} %")
        print("  " + ", ".join(f"{skill} {right[skill]}/{asked[skill]}" for skill in asked))


if __name__ == "__main__":
    main()
