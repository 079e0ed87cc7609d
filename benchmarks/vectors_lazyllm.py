"""Run by an interpreter that has lazyllm: seconds that its embedding module takes for so many texts, as the last word."""

from __future__ import annotations

import sys
import time


def main(url: str, count: int, batch: int) -> None:
    import lazyllm  # type: ignore[import-not-found,unused-ignore]

    module = lazyllm.OnlineEmbeddingModule(
        source="openai", embed_url=f"{url}/embeddings", embed_model_name="m", api_key="none", batch_size=batch, num_worker=4
    )
    texts = [f"text number {i}" for i in range(count)]
    module(texts[:batch])
    begin = time.perf_counter()
    found = module(texts)
    took = time.perf_counter() - begin
    assert len(found) == count, len(found)
    print(took)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
