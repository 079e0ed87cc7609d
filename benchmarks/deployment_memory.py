"""What a deployment costs while it does nothing: memory in the kernel that started it, and the processor's time to watch it.

The engine is a dummy and then llama.cpp with the model that ships: what is measured is ours, not the engine's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from .ratio import Ratio, limit

COUNT = 16
SECONDS = 20
_CODE = """
import contextlib, gc, json, os, sys, time, tracemalloc
import psutil
import workbench as wb

def held():
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e3, psutil.Process().memory_full_info().uss / 1e3

def started(i, engine):
    module = wb.TrainableModule('pocket').deploy_method(engine, variant=str(i), ttl=3600)
    with contextlib.redirect_stdout(open(os.devnull, 'w')):
        module.start()
        module('Hello')
    return module

def spent(jobs):
    pids = [(job.record.pid, job.record.supervisor_pid) for job in jobs]
    return [sum(sum(psutil.Process(p).cpu_times()[:2]) for p in of) for of in zip(*pids)]

count, seconds = int(sys.argv[1]), float(sys.argv[2])
kept = [started('first', wb.deploy.dummy)]
wb.deployments()
tracemalloc.start()
first = held()
kept += [started(i, wb.deploy.dummy) for i in range(count)]
modules = held()
handles = [wb.deployments(active=True) for _ in range(20)]
listed = held()
tracemalloc.stop()
dummies, real = list(handles[0]), [started('real', wb.deploy.llama_cpp).deployment]
time.sleep(35)  # by then a watch looks less often
before = [*spent(dummies), *spent(real)]
time.sleep(seconds)
after = [*spent(dummies), *spent(real)]
shares = [100 * (b - a) / seconds / n for a, b, n in zip(before, after, (len(dummies), len(dummies), 1, 1))]
print(json.dumps({
    'module': (modules[0] - first[0]) / count,
    'uss': (modules[1] - first[1]) / count,
    'handle': (listed[0] - modules[0]) / (20 * len(dummies)),
    'shares': shares,
}))
"""
_END = "from workbench.runtime.work import jobs; jobs.end_all()"


def measure() -> Iterator[Ratio]:
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "WORKBENCH_HOME": home, "OMP_NUM_THREADS": "1"}
        try:
            out = subprocess.run([sys.executable, "-c", _CODE, str(COUNT), str(SECONDS)], env=env, capture_output=True, text=True, check=True)
        finally:
            subprocess.run([sys.executable, "-c", _END], env=env, check=False)
    found = json.loads(out.stdout.splitlines()[-1])
    watch, supervisor, llama, _ = found["shares"]
    yield limit("memory in the kernel of a module that is deployed and was called: Python's objects", found["module"], "kB", at_most=100)
    yield limit("… the process's own", max(0.0, found["uss"]), "kB", at_most=300)
    yield limit("… of one more handle of a deployment", found["handle"], "kB", at_most=5)
    yield limit("processor's time of an idle deployment: a dummy with its watch", watch, "% of a core", at_most=1)
    yield limit("… llama.cpp with its watch", llama, "% of a core", at_most=1)
    yield limit("… its supervisor", supervisor, "% of a core", at_most=2)
