"""The order in which issues are named, whatever order they were read in."""

from __future__ import annotations

import re

from backlint.model import Issue


def by_key(issue: Issue) -> tuple[str, int, str, str]:
    """Sorts PAY-9 before PAY-10."""
    found = re.fullmatch(r"(.*?)(\d+)", issue.key)
    if found is None or len(found[2]) > 18:
        return issue.key.casefold(), 0, issue.source, issue.id
    return found[1].casefold(), int(found[2]), issue.source, issue.id
