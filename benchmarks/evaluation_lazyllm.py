"""Run by an interpreter that has lazyllm: seconds that its ``eval`` takes for so many questions to a server, as the last word."""

from __future__ import annotations

import sys
import time

ATTEMPTS = 10


def main(url: str, count: int) -> None:
    import lazyllm  # type: ignore[import-not-found,unused-ignore]

    module = lazyllm.OnlineChatModule(source="openai", model="m", base_url=f"{url}/", api_key="none", stream=False)
    module.evalset([f"Question {i}?" for i in range(100)])
    module.eval()
    module.evalset([f"Question {i}?" for i in range(count)])
    for _ in range(ATTEMPTS):
        begin = time.perf_counter()
        try:
            module.eval()
        except Exception as e:  # its threads stand in each other's way now and then
            print(f"{type(e).__name__}: {e}", file=sys.stderr)
            continue
        print(time.perf_counter() - begin)
        return
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
