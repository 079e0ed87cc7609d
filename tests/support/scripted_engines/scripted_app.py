"""What LMDeploy, SGLang and LightLLM publish of their servers' OpenAI form, without a model: an echo, word by word. Stands in for engines
that need a GPU. It checks no key, as theirs do not, or not in a way that is used.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

METRICS = {
    "lmdeploy": ("lmdeploy:num_requests_running", "lmdeploy:generation_tokens_total"),
    "sglang": ("sglang:num_running_reqs", "sglang:generation_tokens_total"),
    "lightllm": ("lightllm_num_running_reqs", "lightllm_generation_tokens_total"),
}


def app_of(engine: str, model: str) -> FastAPI:
    """The application of one of the engines."""
    app = FastAPI()
    made = {"tokens": 0}

    @app.get("/health")
    @app.get("/health_generate" if engine == "sglang" else "/healthz")
    async def health() -> Response:
        return Response(status_code=200)

    if engine == "lightllm":

        @app.get("/get_model_name")
        async def name() -> dict[str, str]:
            return {"model_name": model}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": model, "object": "model", "created": 1, "owned_by": engine}]}

    @app.get("/metrics")
    async def metrics() -> PlainTextResponse:
        running, generated = METRICS[engine]
        return PlainTextResponse(f"# TYPE {running} gauge\n{running} 0\n# TYPE {generated} counter\n{generated} {made['tokens']}\n")

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Any:
        body = await request.json()
        words = f"{engine} heard {body['messages'][-1]['content']}".split(" ")
        made["tokens"] += len(words)
        usage = {"prompt_tokens": 3, "completion_tokens": len(words), "total_tokens": 3 + len(words)}
        head = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": " ".join(words)}, "finish_reason": "stop"}
            return {**head, "object": "chat.completion", "choices": [choice], "usage": usage}

        async def pieces() -> AsyncIterator[str]:
            for number, word in enumerate(words):
                delta = {"role": "assistant", "content": ("" if number == 0 else " ") + word}
                yield _line({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            yield _line({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})
            yield "data: [DONE]\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    if engine == "sglang":

        @app.post("/v1/embeddings")
        async def embeddings(request: Request) -> dict[str, Any]:
            body = await request.json()
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            rows = [{"object": "embedding", "index": i, "embedding": [float(len(t)), 1.0]} for i, t in enumerate(texts)]
            return {"object": "list", "model": body["model"], "data": rows, "usage": {"prompt_tokens": 1, "total_tokens": 1}}

        @app.post("/v1/rerank")
        async def rerank(request: Request) -> list[dict[str, Any]]:
            body = await request.json()
            rows = [{"score": float(len(d)), "document": d, "index": i} for i, d in enumerate(body["documents"])]
            return sorted(rows, key=lambda r: -r["score"])[: body.get("top_n")]

    return app


def _line(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps({'object': 'chat.completion.chunk', **chunk})}\n\n"
