"""The tiny chat model, which learns its answers and one tool by heart in seconds, and a LoRA adapter for it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import torch
import words
from tokenizers import AddedToken

# Tools are told by their names alone, so that what the model learned does not hang on the order of a schema's keys.
TEMPLATE = (
    "{%- if tools %}{{ '<|im_start|>system\\n' }}{%- if messages[0].role == 'system' %}{{ messages[0].content + '\\n' }}{%- endif %}"
    "{{ 'Tools:' }}{%- for tool in tools %}{{ ' ' + tool.function.name }}{%- endfor %}{{ '<|im_end|>\\n' }}"
    "{%- elif messages[0].role == 'system' %}{{ '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message.role == 'tool' %}"
    "{{ '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}"
    "{%- elif not (loop.first and message.role == 'system') %}"
    "{{ '<|im_start|>' + message.role + '\\n' }}"
    "{%- if message.content is string %}{{ message.content }}"
    "{%- elif message.content %}{%- for part in message.content %}"
    "{%- if part.type == 'text' %}{{ part.text }}{%- elif part.type in ('image', 'image_url') %}{{ 'IMAGE' }}{%- endif %}"
    "{%- endfor %}{%- endif %}"
    "{%- if message.tool_calls %}{%- for call in message.tool_calls %}"
    "{%- set asked = call.function if call.function else call %}"
    '{{ \'<tool_call>\\n{"name": "\' + asked.name + \'", "arguments": \' }}'
    "{{ asked.arguments if asked.arguments is string else asked.arguments | tojson }}{{ '}\\n</tool_call>' }}"
    "{%- endfor %}{%- endif %}{{ '<|im_end|>\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}"
)
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALLS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")  # as Qwen has them: pieces that are text all the same
STEPS, BATCH, LENGTH = 150, 8, 2048
VOCABULARY = 1024
LORA_RANK = 8


def tokenizer(*marks: str, picture: str = "") -> Any:
    """A ChatML tokenizer; ``picture`` is what its template writes for a picture."""
    made = words.byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>", *marks], VOCABULARY)
    made.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in CALLS])
    named = {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    found = words.fast(made, model_max_length=LENGTH, extra_special_tokens=["<|im_start|>", *marks], **named)
    found.chat_template = TEMPLATE.replace("'IMAGE'", repr(picture))
    return found


def ends(found: Any) -> dict[str, int]:
    """The numbers of a tokenizer's marks, as configurations want them."""
    return {"bos_token_id": found.bos_token_id, "eos_token_id": found.eos_token_id, "pad_token_id": found.pad_token_id}


def chat(folder: Path) -> None:
    """A Qwen3 of 1.4 million parameters. Widths are those that K-quants and vLLM's attention on a CPU can have."""
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

    said = tokenizer()
    shape = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64}
    config = Qwen3Config(vocab_size=VOCABULARY, max_position_embeddings=LENGTH, tie_word_embeddings=True, **shape, **ends(said))
    model = Qwen3ForCausalLM(config)
    _learn(model, said)
    stops = {**ends(said), "eos_token_id": [said.eos_token_id, said.pad_token_id]}
    model.generation_config = GenerationConfig(do_sample=False, **stops)
    model.to(torch.bfloat16).save_pretrained(folder)
    words.keep(said, folder)


def _learn(model: Any, said: Any) -> None:
    draw, rows = random.Random(1), [_row(said, *lesson) for lesson in lessons()]
    steps = torch.optim.AdamW(model.parameters(), lr=3e-3)
    faster = torch.optim.lr_scheduler.OneCycleLR(steps, 3e-3, total_steps=STEPS)
    model.train()
    for _ in range(STEPS):
        batch = draw.sample(rows, BATCH)
        width = max(len(ids) for ids, _ in batch)
        ids = torch.tensor([ids + [said.pad_token_id] * (width - len(ids)) for ids, _ in batch])
        place = torch.arange(width).expand_as(ids)
        begin, end = (torch.tensor(ends)[:, None] for ends in ([asked for _, asked in batch], [len(ids) for ids, _ in batch]))
        labels = ids.masked_fill((place < begin) | (place >= end), -100)  # of the answers alone
        model(input_ids=ids, attention_mask=(place < end).long(), labels=labels).loss.backward()
        steps.step()
        faster.step()
        steps.zero_grad()
    model.eval()


def lessons() -> list[tuple[list[dict[str, Any]], list[Any] | None]]:
    """Talks that end with an answer, and the tools that are known in them."""
    user, answer = "user", "assistant"
    out: list[tuple[list[dict[str, Any]], list[Any] | None]] = [
        ([{"role": user, "content": asked}, {"role": answer, "content": told}], None) for asked, told in words.answers()
    ]
    for city in words.SEEN:
        asked = {"role": user, "content": f"What is the weather in {city}?"}
        call = {"role": answer, "content": "", "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": city}}}]}
        out.append(([asked, call], [TOOL]))
        for weather in words.WEATHER:
            out.append(([asked, call, {"role": "tool", "content": weather}, {"role": answer, "content": f"It is {weather} in {city}."}], [TOOL]))
    return out


def _row(said: Any, talk: list[dict[str, Any]], tools: list[Any] | None) -> tuple[list[int], int]:
    """The numbers of a talk, and where its last answer begins."""
    whole = said.apply_chat_template(talk, tools=tools, tokenize=False)
    asked = said.apply_chat_template(talk[:-1], tools=tools, tokenize=False, add_generation_prompt=True)
    return said(whole, add_special_tokens=False)["input_ids"], len(said(asked, add_special_tokens=False)["input_ids"])


def lora(folder: Path) -> None:
    """An adapter for `chat` in PEFT's form, large enough that its answers differ. It lies beside its base."""
    from safetensors.torch import save_file
    from transformers import AutoConfig

    base = folder.parent / "chat"
    config = AutoConfig.from_pretrained(base)
    widths = {"q_proj": config.num_attention_heads * config.head_dim, "v_proj": config.num_key_value_heads * config.head_dim}
    weights = {}
    for layer in range(config.num_hidden_layers):
        for name, width in widths.items():
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            weights[f"{place}.lora_A.weight"] = (torch.randn(LORA_RANK, config.hidden_size) * 0.3).to(torch.bfloat16)
            weights[f"{place}.lora_B.weight"] = (torch.randn(width, LORA_RANK) * 0.3).to(torch.bfloat16)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "adapter_model.safetensors")
    said = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": str(base), "r": LORA_RANK, "lora_alpha": 16}
    said |= {"lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj", "v_proj"], "inference_mode": True, "fan_in_fan_out": False}
    (folder / "adapter_config.json").write_text(json.dumps(said, indent=1))
