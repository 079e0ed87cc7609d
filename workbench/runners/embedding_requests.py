"""What callers ask of vectors and rankings, in OpenAI's, Jina's and vLLM's forms: requests into units, results into bodies.

Forms: https://platform.openai.com/docs/api-reference/embeddings, https://jina.ai/reranker, and ``/score`` of
https://docs.vllm.ai/en/latest/models/pooling_models. Knows no model's inside. Standard library only.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sentence_models import Made, Wish
    from .serving_fields import Fields, Refusal
else:
    from sentence_models import Made, Wish
    from serving_fields import Fields, Refusal

EMBED_FIELDS = ("model", "input", "encoding_format", "dimensions", "user", "truncate", "normalize")
PROMPT_FIELDS = ("prompt", "prompt_name", "instruction", "instruct", "input_type")
RERANK_FIELDS = ("model", "query", "documents", "top_n", "return_documents", "truncate", "user", "raw_scores", "return_raw_scores", *PROMPT_FIELDS)
SCORE_FIELDS = ("model", "text_1", "text_2", "queries", "documents", "truncate", "user", *PROMPT_FIELDS)
_SIDES = {"query": ("query", "search_query"), "document": ("document", "passage", "search_document", "corpus")}
_TASK = re.compile(r"^(Instruct:\s*).*?(\n?\s*Query:\s*)$", re.S)


def items(given: Any, tokenizer: Any, what: str = "input") -> list[Any]:
    """The inputs: texts, lists of token numbers, or objects ``{text}``, ``{image}`` or both; one of them alone is a list of one."""
    if given is None:
        raise Refusal(f"{what!r} is missing.", param=what)
    if isinstance(given, str | Mapping) or (isinstance(given, list) and given and all(isinstance(i, int) for i in given)):
        given = [given]
    if not isinstance(given, list):
        raise Refusal(f"{what!r} has to be a text or a list of texts.", param=what)
    return [_item(one, tokenizer, what, at) for at, one in enumerate(given)]


def _item(one: Any, tokenizer: Any, what: str, at: int) -> Any:
    if isinstance(one, str):
        return one
    if isinstance(one, list) and all(isinstance(i, int) and not isinstance(i, bool) for i in one):
        if any(not 0 <= i < len(tokenizer) for i in one):
            raise Refusal(f"{what}[{at}] has a token that the model does not know.", param=what)
        return str(tokenizer.decode(one, skip_special_tokens=True))
    if isinstance(one, Mapping):
        found = {kind: _picture(value, at) if kind == "image" else value for kind, value in _parts(one).items()}
        if found and set(found) <= {"text", "image"} and isinstance(found.get("text", ""), str):
            return found["text"] if set(found) == {"text"} else found["image"] if set(found) == {"image"} else found
    raise Refusal(f"{what}[{at}] is neither a text, nor numbers of tokens, nor an object with text or image.", param=what)


def _parts(one: Mapping[str, Any]) -> dict[str, Any]:
    """``{text, image}``, or OpenAI's part of one of them."""
    kind = one.get("type")
    if kind == "image_url":
        inner = one.get("image_url")
        return {"image": inner.get("url") if isinstance(inner, Mapping) else inner}
    return {k: v for k, v in one.items() if k != "type"}


def _picture(value: Any, at: int) -> Any:
    head, _, data = value.partition(",") if isinstance(value, str) else ("", "", "")
    if not head.startswith("data:") or not head.endswith(";base64"):
        raise Refusal(f"input[{at}]: a picture has to come as data:image/…;base64,…; the server fetches none.", param="input")
    try:
        from PIL import Image

        picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        return picture.convert("RGB")
    except ImportError as e:
        raise Refusal(f"This server cannot read pictures: {e}", 501, "server_error") from None
    except (OSError, ValueError, binascii.Error, SyntaxError) as e:
        raise Refusal(f"input[{at}] is no picture: {e}", param="input") from None
    except Exception as e:  # Pillow's guard against pictures that unfold to gigabytes is no ValueError
        raise Refusal(f"input[{at}] cannot be read: {e}", param="input") from None


def modality(item: Any) -> str:
    """What kind of input it is."""
    return "text" if isinstance(item, str) else "image,text" if isinstance(item, Mapping) else "image"


def prompt(fields: Fields, known: Mapping[str, str], default: str | None) -> str:
    """What goes before every text of a request.

    ``prompt`` as it stands; ``prompt_name`` or ``input_type`` out of the model's own; ``instruction`` as the task in the model's prompt for
    queries where that has the form ``Instruct: … Query:``, else as it stands.
    """
    given = [name for name in PROMPT_FIELDS if name in fields.values]
    if len(given) > 1:
        raise Refusal(f"{' and '.join(given)} say the same in different ways; give one of them.", param=given[1])
    if not given:
        return known.get(default or "", "")
    value = fields.text(given[0], "")
    if given[0] == "prompt":
        return value
    if given[0] in ("instruction", "instruct"):
        task = _TASK.match(known.get("query", ""))
        return f"{task[1]}{value}{task[2]}" if task else value
    if given[0] == "input_type":
        side = next((side for side, names in _SIDES.items() if value in names), "")
        if not side:
            raise Refusal(f"'input_type' cannot be {value!r}; it is query or document.", param="input_type")
        return next((known[name] for name in _SIDES[side] if known.get(name)), "")
    if value not in known:
        raise Refusal(f"The model has no prompt {value!r}. Known: {', '.join(known) or 'none'}.", param="prompt_name")
    return known[value]


def wish_of(fields: Fields, known: Mapping[str, str], default: str | None, dimensions: int, spec: Mapping[str, Any]) -> Wish:
    """What a request for vectors wants; ``spec`` has the deployment's own defaults."""
    wanted = fields.integer("dimensions", spec.get("truncate_dim"), 1, dimensions or 1 << 20)
    if wanted and not dimensions:
        raise Refusal("Sparse vectors have no dimensions to choose.", param="dimensions")
    return Wish(
        prompt=prompt(fields, known, default),
        dimensions=0 if wanted == dimensions else wanted or 0,
        normalize=fields.flag("normalize", bool(spec.get("normalize_embeddings", False))),
        truncate=fields.flag("truncate", bool(spec.get("truncate", True))),
    )


def usage(made: Sequence[Made]) -> dict[str, int]:
    """The tokens that were read; how many inputs were longer than the model reads, where some were."""
    tokens, cut = sum(m.tokens for m in made), sum(m.cut for m in made)
    return {"prompt_tokens": tokens, "total_tokens": tokens, **({"truncated_inputs": cut} if cut else {})}


def embeddings(made: Sequence[Made], model: str, form: str) -> dict[str, Any]:
    """The body of an answer with vectors: base64 of 32-bit little-endian floats, or numbers; sparse ones as ``{token id: weight}``."""
    rows = [{"object": "embedding", "index": i, "embedding": _vector(m.value, form)} for i, m in enumerate(made)]
    return {"object": "list", "data": rows, "model": model, "usage": usage(made)}


def _vector(value: Any, form: str) -> Any:
    if isinstance(value, dict):
        return value
    return base64.b64encode(value.astype("<f4").tobytes()).decode() if form == "base64" else value.tolist()


def ranking(made: Sequence[Made], documents: Sequence[str], top_n: int | None, whole: bool, model: str) -> dict[str, Any]:
    """The body of a ranking, the best first."""
    order = sorted(range(len(made)), key=lambda i: (-made[i].value, i))[:top_n]
    rows = [{"index": i, "relevance_score": made[i].value, **({"document": {"text": documents[i]}} if whole else {})} for i in order]
    return {"id": f"rerank-{uuid.uuid4().hex}", "model": model, "results": rows, "usage": usage(made)}


def pairs(fields: Fields, tokenizer: Any) -> list[tuple[str, str]]:
    """The pairs of a request for scores: one with many, or each with its own."""
    first, second = ("text_1", "text_2") if "text_1" in fields.values else ("queries", "documents")
    left, right = (items(fields.values.get(name), tokenizer, name) for name in (first, second))
    if len(left) == 1:
        left = left * len(right)
    if len(left) != len(right):
        raise Refusal(f"{first!r} has {len(left)} texts and {second!r} {len(right)}; give one, or as many.", param=first)
    return list(zip(texts(left, first), texts(right, second), strict=True))


def texts(found: Sequence[Any], what: str) -> list[str]:
    """The items when all are texts."""
    if not all(isinstance(i, str) for i in found):
        raise Refusal(f"{what!r} has to hold texts alone.", param=what)
    return list(found)
