"""What GitHub tells of a comment beside its words: whether its author belongs to the repository, and thumbs."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from backlint.connectors.github.mapping import RestComment, comment_from


def comment(**given: Any) -> RestComment:
    values = {
        "id": 7,
        "created_at": "2026-03-12T09:00:00Z",
        "body": "/hygiene wrong AC001",
        "user": {"login": "mia", "id": 5, "type": "User"},
        **given,
    }
    return msgspec.json.decode(json.dumps(values), type=RestComment)


@pytest.mark.parametrize(
    ("association", "may_write"),
    [
        ("OWNER", True),
        ("MEMBER", True),
        ("COLLABORATOR", True),
        ("CONTRIBUTOR", False),
        ("FIRST_TIME_CONTRIBUTOR", False),
        ("NONE", False),
        (None, None),
    ],
)
def test_only_the_repositorys_own_people_may_write(association: str | None, may_write: bool | None) -> None:
    assert comment_from(comment(author_association=association), None).may_write is may_write


def test_thumbs_are_counted_where_github_tells_of_them() -> None:
    told = comment_from(comment(reactions={"+1": 2, "-1": 1, "heart": 4, "total_count": 7}), None)
    silent = comment_from(comment(), None)

    assert (told.thumbs_up, told.thumbs_down) == (2, 1)
    assert (silent.thumbs_up, silent.thumbs_down) == (None, None)
