"""Models of sentence-transformers as a server uses them: a batch of texts in, a vector or score and a count of tokens for each out.

Dense vectors, sparse ones (SPLADE and BGE-M3's), and scores of pairs. Knows no HTTP and no queue. Run by the environment
``sentence_transformers``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import serving
    from .serving_fields import Refusal
else:
    import serving
    from serving_fields import Refusal

BATCH = 32
PADDED_TOKENS = 32768  # of one pass: what 32 texts of 1,024 tokens take
LETTERS = 64  # of a token, in the mean of a text, at most: what lies further behind is not read, because cutting it into tokens would take minutes
OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True)
class Wish:
    """What is wanted of a batch; requests with the same wish are worked on together.

    Attributes
    ----------
    prompt : str
        Goes before every text.
    dimensions : int
        How many numbers of a vector are kept; 0 is all.
    normalize : bool
        Whether vectors get length 1 even where the model leaves them as they are.
    raw : bool
        Whether scores stay as the model gives them, without its activation.
    truncate : bool
        Whether what is too long is cut; else it is refused.
    modality : str
        ``text``, ``image`` or ``image,text``.
    """

    prompt: str = ""
    dimensions: int = 0
    normalize: bool = False
    raw: bool = False
    truncate: bool = True
    modality: str = "text"


@dataclass(frozen=True)
class Made:
    """A vector (numpy, or a dict of weights) or score, the tokens read for it, and whether some were cut off."""

    value: Any
    tokens: int
    cut: bool = False


class Model:
    """What the three kinds share: batches that fit, counts of tokens, what is too long.

    Parameters
    ----------
    model
        Of sentence-transformers.
    batch_size : int
        The most inputs of one pass.
    """

    def __init__(self, model: Any, batch_size: int = BATCH) -> None:
        self.model, self.batch_size = model.eval(), batch_size
        self.longest = int(model.max_seq_length or 0)
        self._told = False

    def run(self, wish: Wish, units: Sequence[Any], gone: Callable[[], bool]) -> list[Made]:
        """One result for each unit, in order."""
        import torch

        units = [self._head(unit) for unit in units]
        out: list[Made | None] = [None] * len(units)
        with torch.inference_mode():
            for places in self._portions(wish, units):
                for place, made in zip(places, self._fitting(wish, [units[i] for i in places]), strict=True):
                    out[place] = made
        return [made for made in out if made is not None]

    def warm_up(self) -> None:
        """One pass, so that the first caller does not wait for what is made on the first one."""
        self.run(Wish(), [self.sample()], lambda: False)

    def sample(self) -> Any:
        """An input to warm up with."""
        return "Hello"

    def _head(self, unit: Any) -> Any:
        """What of an input the model could read."""
        most = self.longest * LETTERS or None
        return unit[:most] if isinstance(unit, str) else tuple(part[:most] for part in unit) if isinstance(unit, tuple) else unit

    def _portions(self, wish: Wish, units: Sequence[Any]) -> Iterator[list[int]]:
        """The units' places, those of like length together, cut where padding to the longest would take too much memory."""
        sizes = [min(weight(u) // 3 + 4, self.longest or 1 << 30) for u in units]  # three letters a token, a guess on the safe side
        order = sorted(range(len(units)), key=lambda i: -sizes[i])
        while order:
            most = max(1, min(self.batch_size, PADDED_TOKENS // max(1, sizes[order[0]])))
            yield order[:most]
            order = order[most:]

    def _fitting(self, wish: Wish, units: list[Any]) -> list[Made]:
        """The results of one pass; of two halves where a GPU's memory does not hold them all."""
        try:
            return self._pass(wish, units)
        except RuntimeError as e:
            if OUT_OF_MEMORY not in str(e).lower() or len(units) < 2:
                raise
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        middle = len(units) // 2
        return [*self._fitting(wish, units[:middle]), *self._fitting(wish, units[middle:])]

    def _pass(self, wish: Wish, units: list[Any]) -> list[Made]:
        from sentence_transformers.util import batch_to_device

        features = self.model.preprocess(units, prompt=wish.prompt or None)
        mask = features.get("attention_mask")
        tokens = mask.sum(1).tolist() if mask is not None and mask.ndim == 2 and wish.modality == "text" else [0] * len(units)
        cut = [self._cut(wish, unit) if self.longest and n >= self.longest else False for unit, n in zip(units, tokens, strict=True)]
        values = self.values(wish, batch_to_device(features, self.model.device), mask)
        return [Made(v, int(n), c) for v, n, c in zip(values, tokens, cut, strict=True)]

    def _cut(self, wish: Wish, unit: Any) -> bool:
        """Whether a text is longer than the model reads, which is refused where it may not be cut."""
        whole = self.length(wish, unit)
        if whole <= self.longest:
            return False
        if not wish.truncate:
            more = "more than " if weight(unit) >= self.longest * LETTERS else ""
            raise Refusal(f"An input has {more}{whole} tokens; the model reads {self.longest}.", code="context_length_exceeded", param="input")
        if not self._told:
            self._told = True
            serving.report("notice", level="warning", text=f"An input of {whole:,} tokens was cut to the {self.longest:,} that the model reads.")
        return True

    def length(self, wish: Wish, unit: Any) -> int:
        """How many tokens an input has, uncut."""
        parts = (wish.prompt + unit,) if isinstance(unit, str) else (wish.prompt + unit[0], unit[1])
        return len(self.model.tokenizer(*parts, truncation=False, verbose=False)["input_ids"])

    def values(self, wish: Wish, features: Mapping[str, Any], mask: Any) -> Sequence[Any]:
        """The results of one pass."""
        raise NotImplementedError


class Dense(Model):
    """One vector for each text, picture, or both."""

    def __init__(self, model: Any, batch_size: int = BATCH) -> None:
        super().__init__(model, batch_size)
        self.dimensions = int(model.get_embedding_dimension() or 0)
        self.unit_length = any(type(part).__name__ == "Normalize" for part in model.modules())

    def values(self, wish: Wish, features: Mapping[str, Any], mask: Any) -> Sequence[Any]:
        import torch

        found = self.model(features)["sentence_embedding"].float()
        if wish.dimensions:
            found = found[:, : wish.dimensions]
        if wish.normalize or (wish.dimensions and self.unit_length):  # a part of a vector of length 1 is shorter
            found = torch.nn.functional.normalize(found, dim=1)
        rows: Sequence[Any] = checked(found)
        return rows


class Sparse(Model):
    """A weight for each piece of the vocabulary that says something about a text: ``{token id: weight}``."""

    def values(self, wish: Wish, features: Mapping[str, Any], mask: Any) -> Sequence[Any]:
        rows = checked(self.model(features)["sentence_embedding"].float())
        return [{int(i): float(row[i]) for i in row.nonzero()[0]} for row in rows]


class LexicalSparse(Model):
    """BGE-M3's sparse vectors: each token's weight by a head of its own, the largest where a token comes twice (arXiv:2402.03216)."""

    def __init__(self, model: Any, head: str, batch_size: int = BATCH) -> None:
        import torch

        super().__init__(model, batch_size)
        weights = torch.load(head, map_location=model.device, weights_only=True)
        self.weight, self.bias = weights["weight"].to(model.dtype), weights["bias"].to(model.dtype)
        self.dull = set(model.tokenizer.all_special_ids)

    def values(self, wish: Wish, features: Mapping[str, Any], mask: Any) -> Sequence[Any]:
        import torch

        states = self.model[0](features)["token_embeddings"]
        weights = checked(torch.relu(torch.nn.functional.linear(states, self.weight, self.bias)).squeeze(-1).float())
        out = []
        for ids, row in zip(features["input_ids"].tolist(), weights, strict=True):
            found: dict[int, float] = {}
            for token, weight in zip(ids, row.tolist(), strict=True):
                if weight > found.get(token, 0.0) and token not in self.dull:
                    found[token] = weight
            out.append(found)
        return out


class Scores(Model):
    """How well a document answers a query; an input is a pair of texts."""

    def sample(self) -> Any:
        return ("Hello", "Hello")

    def values(self, wish: Wish, features: Mapping[str, Any], mask: Any) -> Sequence[Any]:
        found = self.model(features)["scores"].float()
        if not wish.raw:
            found = self.model.activation_fn(found)
        return [float(score) for score in checked(found.reshape(-1))]


def checked(found: Any) -> Any:
    """The numbers as numpy has them, when they are numbers."""
    rows = found.cpu().numpy()
    if not bool(found.isfinite().all()):
        raise Refusal("The model gave infinite values or none: its weights are broken, or need dtype='float32'.", 500, "server_error")
    return rows


def weight(unit: Any) -> int:
    """About how much work an input is, in letters."""
    if isinstance(unit, str):
        return len(unit)
    return sum(len(part) for part in unit) if isinstance(unit, tuple) else 256
