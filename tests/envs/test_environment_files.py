"""What an environment holds once it is built."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from workbench import envs

# The same path in two distributions: which of them is there in the end is chance. Files of a plain text that many
# projects put at the top (a licence, tests) do no harm.
_TWICE = """
import importlib.metadata as m, json
owners = {}
for d in m.distributions():
    for f in d.files or ():
        if f.suffix == '.py' and len(f.parts) > 1 and f.parts[0] not in ('tests', 'test', 'examples', 'docs', 'benchmarks'):
            owners.setdefault(str(f), set()).add(d.metadata['Name'])
print(json.dumps({f: sorted(names) for f, names in owners.items() if len(names) > 1}))
"""


@pytest.mark.parametrize("name", ["gguf", "llamafactory", "transformers"])
def test_no_module_belongs_to_two_distributions(home: Path, name: str) -> None:
    out = subprocess.run([str(envs.ensure(name)), "-c", _TWICE], capture_output=True, text=True, check=True).stdout
    assert json.loads(out) == {}
