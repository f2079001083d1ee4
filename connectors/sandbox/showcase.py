"""Tickets of kinds that a generated backlog lacks: for a demo in which every family of rules has something to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from backlint.connectors.sandbox.disturb import human_actor
from backlint.connectors.sandbox.teams import Flavour, flavour_of
from backlint.connectors.sandbox.world import World, WorldIssue

# A key that opens nothing, in two parts, so that nobody's scanner takes this file for a leak.
KEY = "AK" + "IAQ7WZ2RK5VB4XN6TC"
STORIES = (
    (
        "Suggest an account for each invoice with a language model",
        "As a clerk, I want a language model to suggest the account of an invoice, so that booking takes less time.\n",
    ),
    (
        "Decide how exports are stored",
        "## Decision\n\nExports are kept in the object store.\n",
    ),
    (
        "Export stops at the upload",
        f"The upload of the nightly export is refused.\n\n    aws_access_key_id = {KEY}\n",
    ),
    (
        "Pay an order in two currencies",
        "As a buyer, I want to pay a part in another currency, so that I can use up my vouchers.\n",
    ),
)
LOOK_ALIKES = ("front-end", "frontend")
LABELLED = 4  # issues with each of the labels that look alike


def showcase(world: World, *, seed: int, now: datetime, mirrored: str = "") -> list[WorldIssue]:
    """The tickets, made by people; the first team's started work becomes top priority and its labels look alike.

    The last ticket says that it mirrors the one at the address `mirrored`, under a title of its own.
    """
    kind, random = flavour_of(world.flavour), Random(seed)
    made = [world.add_issue(issue) for issue in _stories(world, kind, random, now)]
    if mirrored:
        made[-1].properties["attachments"] = [mirrored]
        world.change(
            made[-1], "title", f"{made[-1].title} at the till", actor=made[-1].reporter, at=now - timedelta(days=2)
        )
    actor = human_actor(world, random)
    first = world.in_project(kind.plans[0].key)
    for issue in first:
        if issue.status in (kind.todo, kind.active, kind.review):
            world.change(issue, "priority", 1, actor=actor)
    for place, issue in enumerate(first[: 2 * LABELLED]):
        world.add_labels(issue, [LOOK_ALIKES[place % 2]], actor=actor)
    return made


def _stories(world: World, kind: Flavour, random: Random, now: datetime) -> Iterator[WorldIssue]:
    project = world.projects[kind.plans[0].key]
    at = now - timedelta(days=4)
    for title, body in STORIES:
        with world.lock:
            number, project.next_number = project.next_number, project.next_number + 1
            id = world.issue_ids()
        type = "bug" if KEY in body else "story"
        yield WorldIssue(
            id, kind.plans[0].key, number, title, body, type, kind.todo, at, at,
            reporter=human_actor(world, random), labels=[type] if kind.labels_types else [],
        )  # fmt: skip
