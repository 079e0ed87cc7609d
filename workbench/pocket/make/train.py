"""Trains the weights from nothing, on the CPU, from endless practice chats. Needs torch and transformers.

Matrices learn by Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/), embeddings and norms by AdamW. The loss counts
answers, short ones more for each token, and questions a little. The same seed, threads and versions give the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from .chats import chat
from .tokenizer import SPECIAL

BUCKETS = (40, 64, 112, 224, 448)
TOKENS_PER_STEP = 4096
POOL = 4000
WARM_UP = 30


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights besides the chats."""

    seed: int = 1
    steps: int = 1500
    vocabulary: int = 896
    layers: int = 5
    hidden: int = 256
    feed_forward: int = 384
    heads: int = 4
    kv_heads: int = 1
    context: int = 2048
    lr_matrices: float = 8e-3
    lr_embeddings: float = 5e-3
    decay_share: float = 0.55
    question_weight: float = 0.1
    threads: int = 2
    compile: bool = False


class Encoder:
    """Chats → token ids and the weight of each token in the loss, in the form of the chat template."""

    def __init__(self, tokenizer: Any, question_weight: float) -> None:
        self._tokenizer, self._question_weight = tokenizer, question_weight
        start, self._end = tokenizer.token_to_id("<|im_start|>"), tokenizer.token_to_id("<|im_end|>")
        self._newline: list[int] = tokenizer.encode("\n").ids
        self._head = {role: [start, *tokenizer.encode(role).ids, *self._newline] for role in ("system", "user", "assistant")}

    def many(self, chats: Sequence[list[dict[str, str]]]) -> Iterator[tuple[list[int], list[float]]]:
        bodies = iter(self._tokenizer.encode_batch([m["content"] for c in chats for m in c]))
        for one in chats:
            ids: list[int] = []
            weights: list[float] = []
            for message in one:
                head, body = self._head[message["role"]], next(bodies).ids
                answer = message["role"] == "assistant"
                ids += [*head, *body, self._end, *self._newline]
                # by the root of its length, so that short answers are not drowned by long ones that are soon known by heart
                weight = min(1.0, 2 / math.sqrt(len(body) + 1)) if answer else self._question_weight
                weights += [0.0] * len(head) + [weight] * len(body) + [weight if answer else 0.0] + [0.0] * len(self._newline)
            yield ids, weights


def batches(encoder: Encoder, seed: int, pad: int) -> Iterator[tuple[Any, Any]]:
    """Endless pairs of tensors (tokens, weights), each of about `TOKENS_PER_STEP` tokens and chats of like length."""
    import torch

    random = Random(seed)
    waiting: dict[int, list[tuple[list[int], list[float]]]] = {b: [] for b in BUCKETS}
    while True:
        ready = []
        for ids, weights in encoder.many([chat(random) for _ in range(POOL)]):
            bucket = next((b for b in BUCKETS if len(ids) <= b), None)
            if bucket is None:
                continue
            waiting[bucket].append((ids, weights))
            if len(waiting[bucket]) == TOKENS_PER_STEP // bucket:
                ready.append((bucket, waiting[bucket]))
                waiting[bucket] = []
        random.shuffle(ready)
        for bucket, rows in ready:
            tokens = torch.tensor([ids + [pad] * (bucket - len(ids)) for ids, _ in rows])
            yield tokens, torch.tensor([weights + [0.0] * (bucket - len(weights)) for _, weights in rows])


def build(recipe: Recipe, tokenizer: Any) -> Any:
    """An untrained Qwen3 of the recipe's size."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=recipe.hidden,
            intermediate_size=recipe.feed_forward,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.kv_heads,
            head_dim=recipe.hidden // recipe.heads,
            max_position_embeddings=recipe.context,
            tie_word_embeddings=True,
            rms_norm_eps=1e-6,
            bos_token_id=None,
            eos_token_id=ids["<|im_end|>"],
            pad_token_id=ids["<|endoftext|>"],
        )
    )


def train(recipe: Recipe, tokenizer: Any) -> tuple[Any, list[tuple[int, float]]]:
    """The trained model and its loss at every 25th step."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    model = build(recipe, tokenizer)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.3f} M parameters", flush=True)
    named = list(model.named_parameters())
    matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in named if p.ndim != 2 or "embed" in name]
    optimizers: list[tuple[Any, float]] = [
        (torch.optim.Muon(matrices, lr=recipe.lr_matrices, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"), recipe.lr_matrices),
        (torch.optim.AdamW(others, lr=recipe.lr_embeddings, betas=(0.9, 0.98), weight_decay=0.0), recipe.lr_embeddings),
    ]
    forward: Any = torch.compile(model) if recipe.compile else model
    begin, smooth, log = time.monotonic(), 0.0, []
    stream = batches(Encoder(tokenizer, recipe.question_weight), recipe.seed + 1, tokenizer.token_to_id("<|endoftext|>"))
    for step, (tokens, weights) in zip(range(1, recipe.steps + 1), stream, strict=False):
        share = min(1.0, step / WARM_UP) * min(1.0, (recipe.steps - step + 1) / (recipe.steps * recipe.decay_share))
        for optimizer, rate in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * share
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = forward(input_ids=tokens).logits
        target, weight = tokens[:, 1:].reshape(-1), weights[:, 1:].reshape(-1)
        each = cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]).float(), target, reduction="none")
        loss = (each * weight).sum() / weight.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, _ in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        smooth = loss.item() if step == 1 else 0.95 * smooth + 0.05 * loss.item()
        if step % 25 == 0:
            log.append((step, round(smooth, 4)))
            print(f"step {step} of {recipe.steps}  loss {smooth:.4f}  {time.monotonic() - begin:.0f} s", flush=True)
    return model.eval(), log
