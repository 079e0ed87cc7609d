"""Writes the trained model as a Hugging Face folder: bf16 safetensors, tokenizer, chat template. Needs torch and transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .tokenizer import CHAT_TEMPLATE


def save(folder: Path, tokenizer: Any, model: Any) -> None:
    """Write the folder in a form that older readers of the format understand too."""
    import torch
    from transformers import GenerationConfig, PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
        model_max_length=model.config.max_position_embeddings,
        extra_special_tokens=["<|im_start|>"],
    )
    fast.chat_template = CHAT_TEMPLATE
    ends = [fast.eos_token_id, fast.pad_token_id]
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=fast.pad_token_id, do_sample=False, max_new_tokens=160)
    model.to(torch.bfloat16).save_pretrained(folder)
    fast.save_pretrained(folder)
    # transformers 5 writes a class name and a place of rope_theta that transformers 4 and other engines do not know
    _change(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    theta = (config.get("rope_parameters") or {}).get("rope_theta", 10000.0)
    _change(folder / "config.json", {"rope_theta": config.get("rope_theta", theta)})


def _change(file: Path, values: dict[str, Any]) -> None:
    known = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**known, **values}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
