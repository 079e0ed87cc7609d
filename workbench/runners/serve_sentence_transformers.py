"""Serves vectors, rankings and scores with sentence-transformers: ``serve_sentence_transformers.py SPEC.json``.

==========================================  ====================================
``POST /v1/embeddings``                     OpenAI's form
``POST /v1/rerank``, ``/rerank``            Jina's form, which vLLM has as well
``POST /v1/score``, ``/score``              vLLM's form
==========================================  ====================================

Concurrent requests share batches, in which each has its turn (`serving_work`); a request's texts come in order of their length,
so that little is spent on padding. Run by the environment ``sentence_transformers``.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import embedding_requests as forms
    from . import sentence_loading, sentence_models, serving, serving_app
    from .sentence_models import Made, Wish, weight
    from .serving_fields import Refusal
    from .serving_work import Worker
else:
    import embedding_requests as forms
    import sentence_loading
    import sentence_models
    import serving
    import serving_app
    from sentence_models import Made, Wish, weight
    from serving_fields import Refusal
    from serving_work import Worker

INPUTS = 256  # of one request by our own client: large enough that the way there costs little, small enough to tell progress


class Service:
    """The paths of one model."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.name, self.type = str(spec["served_name"]), str(spec["type"])
        self.defaults = dict(spec.get("arguments") or {})
        self.model = sentence_loading.load(spec)
        self.prompts: dict[str, str] = dict(self.model.model.prompts)
        self.worker = Worker(self.model.run, self.model.batch_size)

    @property
    def default_prompt(self) -> str | None:
        name: str | None = self.model.model.default_prompt_name
        return name

    async def embeddings(self, call: serving_app.Call) -> dict[str, Any]:
        """``/v1/embeddings``."""
        fields = await call.fields()
        fields.only(*forms.EMBED_FIELDS, *forms.PROMPT_FIELDS)
        form = fields.choice("encoding_format", ("float", "base64"), "float")
        wish = forms.wish_of(fields, self.prompts, self.default_prompt, getattr(self.model, "dimensions", 0), self.defaults)
        items = forms.items(fields.values.get("input"), self.model.model.tokenizer)
        return forms.embeddings(await self._made(call, wish, items), self.name, form)

    async def rerank(self, call: serving_app.Call) -> dict[str, Any]:
        """``/v1/rerank``."""
        fields = await call.fields()
        fields.only(*forms.RERANK_FIELDS)
        query = fields.text("query")
        found = fields.values.get("documents")
        documents = forms.texts(forms.items(found, self.model.model.tokenizer, "documents"), "documents")
        top = fields.integer("top_n", None, 0, 1 << 30)
        made = await self._made(call, self._scoring(fields), [(query, d) for d in documents])
        return forms.ranking(made, documents, top or None, fields.flag("return_documents"), self.name)

    async def score(self, call: serving_app.Call) -> dict[str, Any]:
        """``/v1/score``."""
        fields = await call.fields()
        fields.only(*forms.SCORE_FIELDS)
        made = await self._made(call, self._scoring(fields), forms.pairs(fields, self.model.model.tokenizer))
        rows = [{"index": i, "object": "score", "score": m.value} for i, m in enumerate(made)]
        return {"object": "list", "model": self.name, "data": rows, "usage": forms.usage(made)}

    def _scoring(self, fields: Any) -> Wish:
        raw = fields.flag("raw_scores") or fields.flag("return_raw_scores") or bool(self.defaults.get("raw_scores", False))
        truncate = fields.flag("truncate", bool(self.defaults.get("truncate", True)))
        return Wish(prompt=forms.prompt(fields, self.prompts, self.default_prompt), raw=raw, truncate=truncate)

    async def _made(self, call: serving_app.Call, wish: Wish, units: list[Any]) -> list[Made]:
        """The results for all units, in order. Those of one kind go to the model together, the longest first."""
        kinds: defaultdict[str, list[int]] = defaultdict(list)
        for place, unit in enumerate(units):
            kinds["text" if isinstance(unit, tuple) else forms.modality(unit)].append(place)
        for kind in kinds:
            wanted: Any = tuple(kind.split(",")) if "," in kind else kind
            if kind != "text" and not self.model.model.supports(wanted):
                raise Refusal(f"This model reads {', '.join(map(str, self.model.model.modalities))}; {kind} was given.", param="input")
        out: list[Any] = [None] * len(units)

        async def of_one_kind(kind: str, places: list[int]) -> None:
            places = sorted(places, key=lambda i: -weight(units[i]))
            asked = Wish(**{**wish.__dict__, "modality": kind})
            for place, made in zip(places, await call.all(asked, [units[i] for i in places]), strict=True):
                out[place] = made

        await asyncio.gather(*(of_one_kind(kind, places) for kind, places in kinds.items()))
        return out

    def app(self) -> serving_app.App:
        """The application, with what our own client should know of it."""
        options: dict[str, Any] = {"engine": "sentence_transformers"}
        if self.type == "rerank":
            scoring = dict.fromkeys(("/v1/score", "/score"), self.score)
            paths = {**dict.fromkeys(("/v1/rerank", "/rerank", "/v2/rerank"), self.rerank), **scoring}
            options |= {"parameters": list(forms.PROMPT_FIELDS)}
        else:
            paths = {"/v1/embeddings": self.embeddings}
            options |= {"batch_size": INPUTS, "parameters": [*forms.PROMPT_FIELDS, "normalize", "truncate"]}
            options |= {"encoding": "base64"} if isinstance(self.model, sentence_models.Dense) else {}
            options |= {"items": "objects"} if self.type == "cross_modal_embed" else {}
        return serving_app.App(self.name, self.worker, paths, options=options)


def load(spec: dict[str, Any]) -> serving_app.App:
    """The application for a spec, warmed up."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    serving.report("progress", phase="load", text="Importing sentence-transformers")
    import sentence_transformers  # noqa: F401

    serving.report("progress", phase="load", text=f"Loading {spec['served_name']}")
    service = Service(spec)
    serving.report("progress", phase="load", text="Warming up")
    service.model.warm_up()
    return service.app()


if __name__ == "__main__":
    serving_app.main(load)
