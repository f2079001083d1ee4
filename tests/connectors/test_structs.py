"""Structs are ready before threads meet them."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each tracker's modules are loaded as `connect` loads them; then six threads decode every struct for the first time.
SCRIPT = """
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from pydantic import SecretStr
from backlint.connectors.connect import make_connector
from backlint.connectors.structs import _ours, _ready
from backlint.settings import SourceSettings

source = SourceSettings(name="x", tracker=sys.argv[1], url="http://127.0.0.1:9", scope=["A/B"], user="a@b.c")
make_connector(source, SecretStr("t"))
types = list(_ours(msgspec.Struct))
assert len(types) > 10 and set(types) <= _ready, types

def decode(start):
    start.wait()
    for type_ in types:
        try:
            msgspec.json.decode(b"{}", type=type_)
        except msgspec.ValidationError:
            pass

start = threading.Barrier(6)
threads = [threading.Thread(target=decode, args=(start,)) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("tracker", ["jira", "linear", "github"])
def test_threads_that_decode_a_type_for_the_first_time_do_not_end_the_process(tracker: str) -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT, tracker], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
