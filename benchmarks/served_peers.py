"""The other sides of `serving.py`, run in processes of their own: ``served_peers.py fastapi PORT`` serves a bare function,
``served_peers.py lazyllm`` reads ``start`` and ``call`` from its standard input and answers with milliseconds.
"""

import sys
import time

CALLS = 100


def double(value: int) -> int:
    return value * 2


def fastapi(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI, Request

    app = FastAPI()

    @app.post("/generate")
    async def generate(request: Request) -> int:
        from starlette.concurrency import run_in_threadpool

        return await run_in_threadpool(double, (await request.json())["args"][0])

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def lazyllm() -> None:
    import lazyllm as peer

    running = None
    for line in sys.stdin:
        begin = time.perf_counter()
        if line.strip() == "start":
            if running is not None:
                running.stop()
            running = peer.ServerModule(double, launcher=peer.launchers.empty(sync=False))
            begin = time.perf_counter()
            running.start()
            running(1)
            passed = time.perf_counter() - begin
        else:
            assert running is not None
            for i in range(CALLS):
                assert running(i) == 2 * i
            passed = (time.perf_counter() - begin) / CALLS
        print(f"ms {1000 * passed}", flush=True)
    if running is not None:
        running.stop()


if __name__ == "__main__":
    fastapi(int(sys.argv[2])) if sys.argv[1] == "fastapi" else lazyllm()
