"""Run by an interpreter that has lazyllm: seconds that its ``eval`` takes for so many questions to a server, as the last word."""

from __future__ import annotations

import sys
import time


def main(url: str, count: int) -> None:
    import lazyllm  # type: ignore[import-not-found,unused-ignore]

    module = lazyllm.OnlineChatModule(source="openai", model="m", base_url=f"{url}/", api_key="none", stream=False)
    module.evalset([f"Question {i}?" for i in range(100)])
    module.eval()
    module.evalset([f"Question {i}?" for i in range(count)])
    begin = time.perf_counter()
    module.eval()
    took = time.perf_counter() - begin
    assert len(module.eval_result) == count
    print(took)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
