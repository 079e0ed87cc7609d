"""Run by an interpreter that has lazyllm: for each line of its input, seconds that its online module takes to stream one answer."""

from __future__ import annotations

import sys
import time


def main(url: str) -> None:
    import lazyllm  # type: ignore[import-not-found,unused-ignore]

    module = lazyllm.OnlineChatModule(source="openai", model="m", base_url=f"{url}/", api_key="none", stream=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        said = module(line.strip())
        took = time.perf_counter() - begin
        text = said["content"] if isinstance(said, dict) else said  # it gives the message where the server named no role
        print(f"TOOK {took} {len(text)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
