"""What a sequence leaves in a model's KV cache, told from its configuration. Loads nothing and knows no engine.

Sources: two vectors a token, layer and key-value head (grouped-query attention, arXiv 2305.13245); one latent vector and one rotary key a token
and layer in multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, 2.1); at most ``window`` tokens in a layer with sliding
attention (arXiv 2310.06825, 2.1); nothing that grows in layers with linear attention or a state space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_LOCAL = {"sliding_attention", "chunked_attention", "local_attention"}
_STATEFUL = {"linear_attention", "mamba", "mamba2", "recurrent", "conv", "ssm", "mlp", "moe", "gated_deltanet"}
_ALTERNATE = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4}  # every how many-th layer sees all, where older configurations do not say


@dataclass(frozen=True, slots=True)
class CacheShape:
    """Numbers that a model keeps for each token of a sequence.

    Attributes
    ----------
    full_layers, window_layers : int
        Layers that keep every token, and those that keep the last ``window`` tokens.
    window : int
    heads, kv_heads : int
        Of attention, and those that keys and values are kept for.
    key, value : int
        Numbers of one key and of one value.
    latent : int
        Numbers that multi-head latent attention keeps instead; 0 for other models.
    """

    full_layers: int
    window_layers: int = 0
    window: int = 0
    heads: int = 0
    kv_heads: int = 0
    key: int = 0
    value: int = 0
    latent: int = 0

    def per_layer(self, shards: int = 1, compressed: bool = True) -> int:
        """Numbers that one token takes in one layer, on one of ``shards`` devices that share the heads.

        Parameters
        ----------
        shards : int
            A head is never split: with fewer heads than devices some hold the same. A latent vector is held by each device.
        compressed : bool
            Whether the engine keeps the latent vector; some keep the keys and values that are made of it.
        """
        if self.latent and compressed:
            return self.latent
        heads = self.heads if self.latent else self.kv_heads
        return -(-heads // max(1, shards)) * (self.key + self.value)

    def numbers(self, tokens: int, shards: int = 1, compressed: bool = True, *, windows: bool = True) -> int:
        """Numbers that a sequence of ``tokens`` takes; ``windows`` is whether the engine forgets what a window has passed."""
        local = min(tokens, self.window) if windows and self.window else tokens
        return self.per_layer(shards, compressed) * (self.full_layers * tokens + self.window_layers * local)

    def to_json(self) -> dict[str, int]:
        return asdict(self)


def of_config(config: Mapping[str, Any]) -> CacheShape | None:
    """The shape from a ``config.json``; None where it does not tell enough."""
    c = _text(config)
    layers, heads = _int(c, "num_hidden_layers", "n_layer", "n_layers", "num_layers"), _int(c, "num_attention_heads", "n_head", "n_heads")
    hidden = _int(c, "hidden_size", "n_embd", "d_model")
    if not layers or not heads:
        return None
    layers -= _int(c, "num_kv_shared_layers")
    full, local = _layers(c, layers)
    window = _int(c, "sliding_window", "attention_chunk_size", "window_size") if local else 0
    head = _int(c, "head_dim", "kv_channels", "attention_head_dim") or hidden // heads
    rank, rotary = _int(c, "kv_lora_rank"), _int(c, "qk_rope_head_dim")
    if rank and rotary:
        key = _int(c, "qk_nope_head_dim") + rotary
        return CacheShape(full, local, window, heads, heads, key, _int(c, "v_head_dim") or head, rank + rotary)
    return CacheShape(full, local, window, heads, _kv_heads(c, heads), head, head) if head else None


def of_gguf(values: Mapping[str, Any], arrays: Mapping[str, Sequence[float]] | None = None) -> CacheShape | None:
    """The shape from a GGUF header's values and short arrays; None where it does not tell enough."""
    name = str(values.get("general.architecture", ""))

    def number(key: str) -> int:
        listed = (arrays or {}).get(f"{name}.{key}")
        if listed:
            return int(max(listed))
        value = values.get(f"{name}.{key}")
        return int(value) if isinstance(value, int | float) else 0

    layers, heads, hidden = number("block_count"), number("attention.head_count"), number("embedding_length")
    if not layers or not heads or not hidden:
        return None
    kept = (arrays or {}).get(f"{name}.attention.head_count_kv")
    full = sum(1 for n in kept if n) if kept else layers
    local, window = 0, number("attention.sliding_window")
    pattern = (arrays or {}).get(f"{name}.attention.sliding_window_pattern")
    every = _ALTERNATE.get(name, 2 if name == "gpt-oss" else 0)
    if window and pattern:
        local = min(full, sum(1 for p in pattern if p))
    elif window and every:
        local = full - full // every
    key = number("attention.key_length") or hidden // heads
    value = number("attention.value_length") or hidden // heads
    rank, rotary = number("attention.kv_lora_rank"), number("rope.dimension_count")
    latent = rank + rotary if rank and rotary else 0
    kv_heads = number("attention.head_count_kv") or heads
    if latent:
        key, value = number("attention.key_length_mla") or key, number("attention.value_length_mla") or value
    return CacheShape(full - local, local, window if local else 0, heads, kv_heads, key, value, latent)


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a configuration that is about text, in those of models of several kinds of input."""
    for name in ("text_config", "llm_config", "language_config", "thinker_config"):
        inner = config.get(name)
        if isinstance(inner, Mapping):
            return _text({**{k: v for k, v in config.items() if k != name}, **inner})
    return config


def _layers(c: Mapping[str, Any], layers: int) -> tuple[int, int]:
    """How many layers keep every token, and how many a window's."""
    kinds = c.get("layer_types") or c.get("layers_block_type") or c.get("block_types")
    if isinstance(kinds, list) and kinds:
        cut = [str(k) for k in kinds[:layers]]
        local = sum(k in _LOCAL for k in cut)
        return sum(k not in _STATEFUL for k in cut) - local, local
    if isinstance(c.get("hybrid_override_pattern"), str):  # Nemotron-H: * is attention
        return c["hybrid_override_pattern"].count("*"), 0
    if isinstance(c.get("attn_layer_indices"), list):
        return len(c["attn_layer_indices"]), 0
    period = _int(c, "full_attention_interval", "attn_layer_period")
    if period:
        return -(-layers // period) if "attn_layer_period" in c else layers // period, 0
    if not _int(c, "sliding_window") or c.get("use_sliding_window") is False:
        return layers, 0
    every = _int(c, "sliding_window_pattern") or _ALTERNATE.get(str(c.get("model_type", "")), 0)
    if every:
        return layers // every, layers - layers // every
    full = _int(c, "max_window_layers") if c.get("use_sliding_window") else 0
    return min(full, layers), max(0, layers - full)


def _kv_heads(c: Mapping[str, Any], heads: int) -> int:
    if c.get("multi_query") is True and not c.get("new_decoder_architecture"):  # Falcon, GPT-BigCode
        return 1
    if c.get("multi_query_attention") is True:  # ChatGLM
        return _int(c, "multi_query_group_num") or 1
    return _int(c, "num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num") or heads


def _int(c: Mapping[str, Any], *names: str) -> int:
    return next((int(c[n]) for n in names if isinstance(c.get(n), int) and not isinstance(c.get(n), bool)), 0)
