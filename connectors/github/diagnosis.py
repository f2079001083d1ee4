"""What `backlint doctor` says of a GitHub source: token, repositories, rights, boards, clock, statuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from backlint.connectors.contract import Check, Level
from backlint.connectors.github import boards
from backlint.connectors.github.access import READ_NEEDS, WRITE_NEEDS
from backlint.errors import NotFound, PermissionMissing, TokenRefused
from backlint.model import StatusCategory
from backlint.status import StatusMap, suggests_waiting

if TYPE_CHECKING:
    from backlint.connectors.github.connector import GitHubConnector

LARGEST_SKEW = timedelta(minutes=2)
BOARD_NEEDS = "read access to the organisation's Projects (classic tokens: read:project)"


def diagnose(connector: GitHubConnector) -> list[Check]:
    """Stops at a refused token, since nothing else can be asked then."""
    try:
        checks = [_token(connector)]
    except (TokenRefused, PermissionMissing) as error:
        return [Check("token", Level.BAD, str(error), f"make a token with {READ_NEEDS}, and name its variable")]
    checks += _clock(connector)
    try:
        scopes = connector.scopes()
    except (NotFound, PermissionMissing) as error:
        remedy = f"check the name, or give the token {READ_NEEDS} for that repository"
        return [*checks, Check("repositories", Level.BAD, str(error), remedy)]
    for scope in scopes:
        checks += _repository(connector, scope)
    return checks


def _token(connector: GitHubConnector) -> Check:
    own = connector.directory.own()
    kind = "app" if own.is_bot else "account"
    return Check("token", Level.GOOD, f"belongs to the {kind} {own.name}")


def _clock(connector: GitHubConnector) -> Iterator[Check]:
    """By the Date header: signed app tokens and sprint dates go by the clock of this machine."""
    skew = connector.client.reader.skew
    if skew is None:
        return
    if abs(skew) > LARGEST_SKEW:
        fact = f"this machine's clock is {abs(skew).total_seconds():.0f} s from GitHub's"
        yield Check("clock", Level.WARNING, fact, "set the clock by NTP")
    else:
        yield Check("clock", Level.GOOD, "agrees with GitHub's")


def _repository(connector: GitHubConnector, scope: str) -> Iterator[Check]:
    try:
        repository = connector.repository(scope)
    except NotFound as error:
        yield Check(f"{scope}: read issues", Level.BAD, str(error), f"check the name, or give the token {READ_NEEDS}")
        return
    if not repository.has_issues:
        yield Check(scope, Level.WARNING, "its issues are switched off", "take it out of scope")
    try:
        connector.client.get(f"/repos/{repository.full_name}/issues", params={"state": "all", "per_page": 1})
    except (PermissionMissing, NotFound) as error:
        yield Check(f"{scope}: read issues", Level.BAD, str(error), f"give the token {READ_NEEDS}")
        return
    yield Check(f"{scope}: read issues", Level.GOOD, "readable")
    yield _write_back(connector, scope)
    yield from _boards(connector, scope)


def _write_back(connector: GitHubConnector, scope: str) -> Check:
    """By the account's role. What a fine-grained token itself may do shows only when it writes."""
    name, repository = f"{scope}: write back", connector.repository(scope)
    if repository.archived:
        return Check(name, Level.WARNING, "the repository is archived and read-only", "leave it out of write-back")
    if repository.permissions is None:
        return Check(name, Level.GOOD, "GitHub does not say; needed only for write-back: " + WRITE_NEEDS)
    if repository.permissions.can_label:
        return Check(name, Level.GOOD, f"the account may set labels and comment; the token needs {WRITE_NEEDS}")
    remedy = f"only for write-back: give the account the triage role and the token {WRITE_NEEDS}"
    return Check(name, Level.WARNING, "the account may not set labels here: GitHub would drop them silently", remedy)


def _boards(connector: GitHubConnector, scope: str) -> Iterator[Check]:
    found = connector.boards.of(connector.home(scope))
    name = f"{scope}: boards"
    if found.hidden_because is not None:
        fact = f"project boards cannot be read, so only open and closed are known: {found.hidden_because}"
        yield Check(name, Level.WARNING, fact, f"give the token {BOARD_NEEDS}")
        return
    yield Check(name, Level.GOOD, ", ".join(board.title for board in found.boards) or "none is linked")
    if found.boards and not connector.client.schema().board_events:
        fact = "this server keeps no history of the board: when work started is known only roughly"
        yield Check(f"{scope}: board history", Level.WARNING, fact, "upgrade it, or use in_progress_labels")
    yield from _statuses(connector, scope, found)


def _statuses(connector: GitHubConnector, scope: str, found: boards.Boards) -> Iterator[Check]:
    facts = boards.facts([found])
    mapped = StatusMap(facts, connector.settings.statuses)
    for fact in facts:
        if mapped.status(fact.id).category is StatusCategory.UNKNOWN:
            proposed = "waiting" if suggests_waiting(fact.name) else "active"
            remedy = f'say what it means under statuses, for example "{fact.id}" = "{proposed}"'
            yield Check(f"{scope}: status {fact.name}", Level.WARNING, "has no meaning yet", remedy)
        elif fact.id not in connector.settings.statuses and _may_be_waiting(fact.id, fact.name):
            remedy = f'if issues wait there, set "{fact.id}" = "waiting" under statuses'
            yield Check(f"{scope}: status {fact.name}", Level.GOOD, "counts as active work", remedy)


def _may_be_waiting(id: str, name: str) -> bool:
    return id.startswith("project:") and suggests_waiting(name)
