"""What `backlint doctor` and `backlint init` want to know of a Jira site, each finding with its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from backlint.connectors.contract import Check, Level, SourceFacts
from backlint.connectors.jira.session import AGILE, Session
from backlint.errors import NotFound, PermissionMissing, RequestRefused, TokenRefused
from backlint.model import StatusCategory
from backlint.status import suggests_waiting

READING = {"BROWSE_PROJECTS": "Browse projects"}
WRITING = {
    "EDIT_ISSUES": "Edit issues",
    "ADD_COMMENTS": "Add comments",
    "EDIT_OWN_COMMENTS": "Edit own comments",
    "DELETE_OWN_COMMENTS": "Delete own comments",
}
SILENCING = {"ADMINISTER_PROJECTS": "Administer projects"}
MOST_SKEW = timedelta(minutes=2)


def diagnose(session: Session) -> Sequence[Check]:
    """A bad token ends it: nothing else could be trusted."""
    session.refresh()
    session.__dict__.pop("account", None)
    try:
        account = session.account
    except (TokenRefused, PermissionMissing) as error:
        return [Check("token", Level.BAD, str(error), _token_remedy(session))]
    checks = [Check("token", Level.GOOD, f"belongs to {account.name or account.id} on {_deployment(session)}")]
    for look in (_scopes, _clock, _statuses, _fields, _boards):
        checks += look(session)
    return checks


def discover(session: Session) -> SourceFacts:
    """Everything that a configuration can choose from."""
    _ = session.account
    projects = session.visible_projects()
    return SourceFacts(
        scopes=tuple((str(each["key"]), str(each.get("name", each["key"]))) for each in projects),
        statuses=session.statuses.facts,
        types=tuple(dict.fromkeys(each.name for each in session.types)),
        fields=tuple((each.id, each.name) for each in session.field_infos if each.custom),
    )


def _token_remedy(session: Session) -> str:
    if session.settings.user:
        return (
            "make a new API token for this account at id.atlassian.com (they expire after a year at most) and put it "
            f"into {session.settings.token_env or 'the token file'}; one with scopes needs the api.atlassian.com url"
        )
    return "make a new personal access token in your Jira profile; Jira Cloud needs `user` as well"


def _deployment(session: Session) -> str:
    return "Jira Cloud" if session.is_cloud else "Jira Data Center"


def _scopes(session: Session) -> Iterator[Check]:
    for scope in session.settings.scope:
        if any(sign in scope for sign in "*?["):
            continue
        try:
            key = str(session.project(scope)["key"])
        except NotFound as error:
            yield Check(f"scope {scope}", Level.BAD, str(error), "correct the key, or grant Browse projects")
            continue
        yield from _permissions(session, key)


def _permissions(session: Session, key: str) -> Iterator[Check]:
    wanted = {**READING, **WRITING, **SILENCING}
    try:
        granted = session.permissions(list(wanted), project=key)
    except (PermissionMissing, RequestRefused, NotFound) as error:
        yield Check(f"scope {key}", Level.WARNING, f"permissions cannot be read: {error}", "grant read:jira-user")
        return
    name = f"scope {key}"
    if missing := [text for each, text in READING.items() if not granted[each]]:
        yield Check(name, Level.BAD, f"not granted: {', '.join(missing)}", f"grant {', '.join(missing)} in {key}")
        return
    yield Check(name, Level.GOOD, "can be read")
    if missing := [text for each, text in WRITING.items() if not granted[each]]:
        remedy = f"grant {', '.join(missing)} in {key}, or leave write_back off"
        yield Check(f"write-back {key}", Level.WARNING, f"not granted: {', '.join(missing)}", remedy)
    elif not granted["ADMINISTER_PROJECTS"]:
        fact = "possible; watchers get mail about it, since only project administrators may switch that off"
        yield Check(f"write-back {key}", Level.GOOD, fact)
    else:
        yield Check(f"write-back {key}", Level.GOOD, "possible, without mail to watchers")
    if session.project(key).get("projectTypeKey") == "service_desk":
        fact = "a service project: comments are written as internal notes"
        yield Check(f"comments {key}", Level.WARNING, fact, "take it out of write-back if agents mind")


def _clock(session: Session) -> Iterator[Check]:
    skew = session.reader.skew
    if skew is None:
        return
    if abs(skew) > MOST_SKEW:
        fact = f"differs from the tracker's by {abs(skew).total_seconds():.0f} s"
        yield Check("clock", Level.WARNING, fact, "set this machine's clock by NTP")
    else:
        yield Check("clock", Level.GOOD, "agrees with the tracker's")


def _statuses(session: Session) -> Iterator[Check]:
    mapped = [session.statuses.status(fact.id) for fact in session.statuses.facts]
    unmapped = [status for status in mapped if status.category is StatusCategory.UNKNOWN]
    if unmapped:
        names = ", ".join(f"{status.name} ({status.id})" for status in unmapped)
        yield Check("statuses", Level.WARNING, f"without a category: {names}", "map them under statuses by id")
    waiting = [
        status for status in mapped if status.category is StatusCategory.ACTIVE and suggests_waiting(status.name)
    ]
    if waiting:
        names = ", ".join(f"{status.name} ({status.id})" for status in waiting)
        yield Check("waiting", Level.GOOD, f"count as active, though the name suggests waiting: {names}")


def _fields(session: Session) -> Iterator[Check]:
    known = {each.id: each.name for each in session.field_infos}
    for name, id in session.settings.fields.items():
        if id not in known:
            remedy = "take the id from `backlint init`; the account may lack the right to see the field"
            yield Check(f"field {name}", Level.BAD, f"{id} is not on this site", remedy)
    fields = session.site.fields
    found = [f"{role}: {known.get(id, id)}" for role in ("estimate", "sprint") for id in getattr(fields, role)]
    found += [f"{role}: {known.get(id, id)}" for role, ids in fields.mapped.items() for id in ids]
    yield Check("fields", Level.GOOD, "; ".join(found) or "no custom field is read")


def _boards(session: Session) -> Iterator[Check]:
    """Boards are worth having: they tell sprints that no pulled issue names."""
    try:
        session.get(f"{AGILE}/board", maxResults=1)
    except (PermissionMissing, NotFound, RequestRefused) as error:
        remedy = "give the token read:board-scope:jira-software and read:sprint:jira-software"
        yield Check("boards", Level.WARNING, f"cannot be read, sprints come from issues alone: {error}", remedy)
    else:
        yield Check("boards", Level.GOOD, "can be read")
