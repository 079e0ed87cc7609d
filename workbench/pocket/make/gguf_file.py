"""Writes the model folder as one GGUF file with 8-bit weights. Needs ``gguf``, numpy and safetensors; knows the Qwen3 layout only.

llama.cpp's own converter refuses tokenizers that it has not seen; this one says which pre-tokenizer ours is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

NAMES = (
    (r"model\.embed_tokens\.weight", "token_embd.weight"),
    (r"model\.norm\.weight", "output_norm.weight"),
    (r"model\.layers\.(\d+)\.input_layernorm\.weight", r"blk.\1.attn_norm.weight"),
    (r"model\.layers\.(\d+)\.post_attention_layernorm\.weight", r"blk.\1.ffn_norm.weight"),
    (r"model\.layers\.(\d+)\.self_attn\.([qkv])_norm\.weight", r"blk.\1.attn_\2_norm.weight"),
    (r"model\.layers\.(\d+)\.self_attn\.([qkv])_proj\.weight", r"blk.\1.attn_\2.weight"),
    (r"model\.layers\.(\d+)\.self_attn\.o_proj\.weight", r"blk.\1.attn_output.weight"),
    (r"model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj\.weight", r"blk.\1.ffn_\2.weight"),
)
FILE_TYPE_Q8_0 = 7
NORMAL, CONTROL = 1, 3


def write(model: Path, out: Path) -> None:
    """Write ``model`` (config, tokenizer, safetensors) to the file ``out``, quantized to Q8_0."""
    import gguf

    config = _json(model / "config.json")
    writer = gguf.GGUFWriter(str(out), config["model_type"])
    writer.add_name("pocket")
    writer.add_file_type(FILE_TYPE_Q8_0)
    _hyperparameters(writer, config)
    _tokenizer(writer, model)
    # llama.cpp draws at 0.8 when a request names no temperature; this small model should give its best answer
    writer.add_sampling_temp(0.0)
    for name, tensor in _tensors(model).items():
        if tensor.ndim == 1:
            writer.add_tensor(name, tensor)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _hyperparameters(writer: Any, config: dict[str, Any]) -> None:
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def _tokenizer(writer: Any, model: Path) -> None:
    tokenizer, settings = _json(model / "tokenizer.json"), _json(model / "tokenizer_config.json")
    special = {t["content"]: t["id"] for t in tokenizer["added_tokens"]}
    ids = {**tokenizer["model"]["vocab"], **special}
    tokens = sorted(ids, key=ids.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if t in special else NORMAL for t in tokens])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(ids[settings["eos_token"]])
    writer.add_eot_token_id(ids[settings["eos_token"]])
    writer.add_pad_token_id(ids[settings["pad_token"]])
    writer.add_bos_token_id(ids[settings["pad_token"]])  # llama.cpp wants one; it is never added
    writer.add_add_bos_token(False)
    writer.add_chat_template((model / "chat_template.jinja").read_text(encoding="utf-8"))


def _tensors(model: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for name, tensor in load_file(model / "model.safetensors").items():
        match = next(((pattern, target) for pattern, target in NAMES if re.fullmatch(pattern, name)), None)
        if match:
            found[re.sub(*match, name)] = tensor.float().numpy()
        elif name != "lm_head.weight":  # tied: the same as the embedding
            raise ValueError(f"no GGUF name is known for the tensor {name}")
    return found


def _json(file: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value
