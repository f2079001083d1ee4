"""Makes the typed structs ready before several threads decode them at once."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

import msgspec

_lock = Lock()
_ready: set[Any] = set()


def make_ready() -> None:
    """Prepare every struct of ours that is loaded; call it when a connector's modules are.

    msgspec prepares a struct when it is first decoded, and keeps it on the class before it is whole: a second thread
    that decodes the same type at that moment ends the process (segmentation fault, seen with 0.22).
    """
    with _lock:
        for struct in _ours(msgspec.Struct):
            if struct not in _ready:
                msgspec.json.Decoder(struct)
                _ready.add(struct)


def _ours(parent: Any) -> Iterator[Any]:
    for struct in parent.__subclasses__():
        if struct.__module__.startswith("backlint."):
            yield struct
        yield from _ours(struct)
