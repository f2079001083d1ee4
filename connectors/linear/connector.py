"""The calls to Linear. Payloads are read in `mapping`, refusals in `answers`; what is asked stands in `queries`."""

from __future__ import annotations

import difflib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import httpx
import msgspec
from pydantic import SecretStr

from backlint.connectors import graphql
from backlint.connectors.contract import (
    MARKER,
    Capabilities,
    Check,
    Level,
    Page,
    Pulled,
    Quarantined,
    Reference,
    SourceFacts,
    Usage,
    Whereabouts,
)
from backlint.connectors.http import Throttled, TrackerHttp, decode
from backlint.connectors.linear import answers, mapping, payloads, queries
from backlint.connectors.linear.cursor import Cursor, Sweep
from backlint.errors import (
    MalformedPayload,
    NotFound,
    PermissionMissing,
    RequestRefused,
    TokenRefused,
    TrackerDown,
    TrackerError,
)
from backlint.model import Comment, Issue, Presence, Project, StatusCategory, Tracker
from backlint.settings import SourceSettings
from backlint.status import StatusMap

T = TypeVar("T")

OVERLAP = timedelta(minutes=2)  # read again: what was written while the last pull looked
SLACK = timedelta(seconds=2)  # the Date header has whole seconds
LISTS_KEPT = 600.0  # seconds for which labels, statuses, people and cycles are not asked for again
LABEL_COLOR = "#95a2b3"
NOBODY = "00000000-0000-4000-8000-000000000000"  # no such issue, comment or label: a probe that changes nothing
LARGEST_SKEW = timedelta(seconds=30)  # webhooks older than 60 s are refused


@dataclass(frozen=True, slots=True)
class _Lists:
    """The small lists of the workspace, and when they were read (monotonic)."""

    names: mapping.Names
    teams: Mapping[str, str]  # key -> name
    people: tuple[payloads.UserNode, ...]
    projects: tuple[Project, ...]
    viewer: payloads.Viewer
    organization: str
    read_at: float


class _Row(NamedTuple):
    """An issue as it came; `problem` is what Linear said of a part that it could not give."""

    raw: msgspec.Raw
    problem: str | None


class LinearConnector:
    """One Linear workspace, read and written with one key or OAuth token."""

    tracker = Tracker.LINEAR
    capabilities = Capabilities(
        sprints=True, estimates=True, priorities=True, due_dates=True, labels_need_creation=True
    )

    def __init__(
        self,
        settings: SourceSettings,
        token: SecretStr,
        *,
        sleep: Callable[[float], None] = time.sleep,
        page: int = queries.PAGE,
    ) -> None:
        self.name = settings.name
        self.usage = Usage()
        self._settings = settings
        self._url = settings.base_url
        self._http = TrackerHttp(
            base_url=self._url,
            headers={"Authorization": authorization(token)},
            read=self._read,
            usage=self.usage,
            source=settings.name,
            timeout=settings.timeout,
            rate=settings.requests_per_second,
            concurrency=settings.concurrency,
            max_wait=settings.max_wait,
            sleep=sleep,
        )
        self._size = page
        self._skew = timedelta(0)  # server's clock minus ours
        self._known: _Lists | None = None
        self._unlisted: set[str] = set()  # ids in issues that no list names

    def close(self) -> None:
        self._http.close()

    def _read(self, response: httpx.Response) -> Throttled | None:
        served_at = answers.served_at(response.headers)
        if served_at is not None:
            self._skew = served_at - datetime.now(UTC)
        return answers.judge(response, source=self.name)

    def _ask(
        self, document: str, kind: type[T], variables: Mapping[str, Any] | None = None, *, may_repeat: bool = True
    ) -> T:
        answered = graphql.ask(self._http, self._url, document, variables, may_repeat=may_repeat)
        return graphql.data(answered, kind, source=self.name)

    # -- the small lists -------------------------------------------------------------------------------------------

    def scopes(self) -> Sequence[str]:
        teams = self._lists(fresh=False).teams
        wanted = dict.fromkeys(key for scope in self._settings.scope for key in (teams if scope == "*" else (scope,)))
        for key in wanted:
            if key not in teams:
                raise self._no_such_team(key, teams)
        return tuple(wanted)

    def reference(self) -> Reference:
        lists = self._lists(fresh=True)
        return Reference(
            statuses=lists.names.statuses.facts,
            people=tuple(map(mapping.person, lists.people)),
            projects=lists.projects,
            sprints=tuple(lists.names.sprints.values()),
            types=tuple(sorted(set(lists.names.labels.values()))),
            own_account=lists.viewer.id,
            account_name=lists.viewer.name,
        )

    def discover(self) -> SourceFacts:
        lists = self._lists(fresh=True)
        return SourceFacts(
            scopes=tuple(lists.teams.items()),
            statuses=lists.names.statuses.facts,
            types=tuple(sorted(set(lists.names.labels.values()))),
        )

    def _lists(self, *, fresh: bool) -> _Lists:
        known = self._known
        if known is None or fresh or time.monotonic() - known.read_at > LISTS_KEPT:
            known = self._known = self._read_lists()
        return known

    def _read_lists(self) -> _Lists:
        """Usually one request; a further one for each list with more than a page."""
        scopes = [scope for scope in self._settings.scope if scope != "*"]
        teams = {"key": {"in": scopes}} if len(scopes) == len(self._settings.scope) else {}
        first = self._ask(queries.lists(list(queries.LISTS)), payloads.Lists, {"teams": teams})
        rows = {name: self._whole(name, getattr(first, name), teams) for name in queries.LISTS}
        labels = [self._decoded(each, payloads.LabelNode) for each in rows["issueLabels"]]
        states = [self._decoded(each, payloads.StateRef) for each in rows["workflowStates"]]
        projects = [self._decoded(each, payloads.ProjectNode) for each in rows["projects"]]
        people = tuple(self._decoded(each, payloads.UserNode) for each in rows["users"])
        cycles = [mapping.sprint(self._decoded(each, payloads.CycleNode)) for each in rows["cycles"]]
        keys = [self._decoded(each, payloads.TeamNode) for each in rows["teams"]]
        names = mapping.Names(
            source=self.name,
            me=first.viewer.id,
            statuses=StatusMap(map(mapping.status_fact, states), self._settings.statuses),
            states=frozenset(state.id for state in states),
            labels={label.id: label.name for label in labels},
            own_labels=frozenset(each.id for each in labels if each.description == mapping.LABEL_DESCRIPTION),
            sprints={cycle.id: cycle for cycle in cycles},
            objectives={each.id: told for each in projects if (told := mapping.objective(each))},
            bots=frozenset(user.id for user in people if user.app) | ({first.viewer.id} if first.viewer.app else set()),
            types=self._settings.types,
        )
        return _Lists(
            names,
            {team.key: team.name for team in sorted(keys, key=lambda team: team.key)},
            people,
            tuple(mapping.project(each, self.name) for each in projects),
            first.viewer,
            first.organization.name,
            time.monotonic(),
        )

    def _decoded(self, raw: msgspec.Raw, kind: type[T]) -> T:
        return decode(bytes(raw), kind, source=self.name)

    def _whole(self, name: str, page: payloads.RawPage, teams: Mapping[str, Any]) -> list[msgspec.Raw]:
        rows = list(page.nodes)
        while page.pageInfo.hasNextPage:
            given = {"after": page.pageInfo.endCursor} | ({"teams": teams} if "$teams" in queries.more_of(name) else {})
            answered = self._ask(queries.more_of(name), dict[str, payloads.RawPage], given)
            page = answered[name]
            rows.extend(page.nodes)
        return rows

    def _no_such_team(self, key: str, teams: Mapping[str, str]) -> NotFound:
        near = difflib.get_close_matches(key.upper(), list(teams), n=3, cutoff=0.4) or list(teams)[:5]
        there = f"; there is {', '.join(near)}" if near else ""
        return NotFound(f"{self.name}: no team with the key {key!r} is visible to this account{there}")

    # -- pulling ---------------------------------------------------------------------------------------------------

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        """The first pull goes by issue numbers in parallel windows, later ones by time; see the README."""
        at = Cursor.read(cursor)
        lists = self._lists(fresh=False)
        if scope not in lists.teams:
            lists = self._lists(fresh=True)
        if scope not in lists.teams:
            raise self._no_such_team(scope, lists.teams)
        if at is None or at.number is not None:
            return self._everything(scope, at)
        return self._changes(scope, at)

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._skew

    def _everything(self, scope: str, at: Cursor | None) -> Iterator[Page]:
        team = self._ask(queries.TEAM, payloads.TeamAnswer, {"key": scope})
        if not team.teams.nodes:
            raise self._no_such_team(scope, self._lists(fresh=True).teams)
        began = at.since if at else self._now()
        count = team.teams.nodes[0].issueCount
        newest = max((int(each.number) for each in team.issues.nodes), default=0)
        windows = _windows((at.number or 0) if at else 0, newest, step=_step(self._size, count=count, newest=newest))

        def whole(window: tuple[int, int | None]) -> tuple[int | None, Page]:
            return window[1], self._page(self._numbered(scope, *window))

        for upto, page in self._http.in_parallel(whole, windows):
            after = Cursor(since=began) if upto is None else Cursor(since=began, number=upto)
            yield Page(
                issues=page.issues,
                quarantined=page.quarantined,
                cursor=after.text(),
                expected=count,
                is_last=upto is None,
            )

    def _numbered(self, scope: str, above: int, upto: int | None) -> list[_Row]:
        """The issues with numbers in (above, upto]; numbers never change, so windows are independent of each other."""
        number: dict[str, Any] = {"gt": above} | ({"lte": upto} if upto is not None else {})
        found: list[_Row] = []
        seen: list[str] = []
        while True:
            wanted = {"team": {"key": {"eq": scope}}, "number": number, **({"id": {"nin": seen}} if seen else {})}
            rows, has_more = self._issues(wanted)
            found.extend(rows)
            if not has_more or not rows:
                return found
            before, seen = len(seen), [head.id for head in self._heads_of(found)]
            if len(seen) == before:
                raise TrackerDown(f"{self.name}: Linear gives the same page of {scope} again and again")

    def _heads_of(self, rows: Sequence[_Row]) -> list[payloads.Head]:
        """Those that can be read; the others are set aside with their page."""
        found = []
        for row in rows:
            with suppress(MalformedPayload):
                found.append(self._decoded(row.raw, payloads.Head))
        if rows and not found:
            raise TrackerDown(f"{self.name}: none of {len(rows)} issues on a page has an id and its times")
        return found

    def _issues(self, wanted: Mapping[str, Any], *, sort: str | None = None) -> tuple[list[_Row], bool]:
        """One page of whole issues and whether there are more; smaller when Linear finds the query too complex."""
        order = [{sort: {"order": "Ascending"}}] if sort else None
        while True:
            size = self._size
            try:
                given = {"filter": wanted, "first": size, "sort": order}
                answered = graphql.ask(self._http, self._url, queries.ISSUES, given, may_repeat=True)
                page = graphql.data(answered, payloads.IssuesAnswer, source=self.name).issues
                spoiled = answers.spoiled(answered.problems)
                rows = [_Row(raw, spoiled.get(place)) for place, raw in enumerate(page.nodes)]
                return rows, page.pageInfo.hasNextPage
            except answers.TooComplex:
                if size == 1:
                    raise
                self._size = min(self._size, max(1, size // 2))

    def _changes(self, scope: str, at: Cursor) -> Iterator[Page]:
        """What changed, what was archived (that moves no `updatedAt`), and what got comments (that may move none)."""
        until = at.until or self._now() + SLACK
        began = at.began or self._now()
        since = at.since - OVERLAP
        going = Cursor(since=at.since, until=until, began=began, sweep=at.sweep, is_swept=at.is_swept)
        if not going.is_swept:
            for rows, sweep in self._sweep(scope, since, until, going.sweep):
                page = self._page(rows)
                going = Cursor(since=at.since, until=until, began=began, sweep=sweep, is_swept=sweep is None)
                yield Page(issues=page.issues, quarantined=page.quarantined, cursor=going.text())
        touched = [*self._archived(scope, since, until), *self._commented(scope, since, until)]
        for page in self._http.in_parallel(self._page_of, _batches(list(dict.fromkeys(touched)), self._size)):
            yield Page(issues=page.issues, quarantined=page.quarantined, cursor=going.text())
        yield Page(issues=(), cursor=Cursor(since=began).text(), is_last=True)

    def _sweep(
        self, scope: str, since: datetime, until: datetime, sweep: Sweep | None
    ) -> Iterator[tuple[list[_Row], Sweep | None]]:
        """Pages of changed issues, oldest change first, each with the place behind it (None: that was all).

        Linear's own cursor stands where its issue stands now: an issue that changes meanwhile takes the cursor along
        to the end and everything between is lost. The place is therefore a time and the ids already seen at that time.
        """
        while True:
            wanted = _beyond(scope, since, until, sweep)
            rows, has_more = self._issues(wanted, sort="updatedAt")
            sweep = _place(sweep, self._heads_of(rows)) if has_more and rows else None
            yield rows, sweep
            if sweep is None:
                return

    def _archived(self, scope: str, since: datetime, until: datetime) -> list[str]:
        """Issues archived or trashed in the time, unless the sweep has had them anyway."""
        wanted = {
            "team": {"key": {"eq": scope}},
            "archivedAt": {"gt": _text(since), "lte": _text(until)},
        }
        return [head.id for head in self._heads(wanted) if not since < head.updatedAt <= until]

    def _heads(self, wanted: Mapping[str, Any]) -> Iterator[payloads.Head]:
        """Ids and times of many issues, in the order of creation, which never changes."""
        place: Sweep | None = None
        while True:
            page = self._head_page(wanted, place)
            yield from page
            if len(page) < queries.LIST:
                return
            last = page[-1].createdAt
            ties = tuple(head.id for head in page if head.createdAt == last)
            place = Sweep(last, (*(place.seen if place and place.at == last else ()), *ties))

    def _head_page(self, wanted: Mapping[str, Any], place: Sweep | None) -> list[payloads.Head]:
        more = {"createdAt": {"gte": _text(place.at)}, "id": {"nin": list(place.seen)}} if place else {}
        order = [{"createdAt": {"order": "Ascending"}}]
        given = {"filter": {**wanted, **more}, "first": queries.LIST, "sort": order}
        answered = self._ask(queries.ISSUE_IDS, payloads.IssuesAnswer, given)
        return [self._decoded(each, payloads.Head) for each in answered.issues.nodes]

    def _commented(self, scope: str, since: datetime, until: datetime) -> list[str]:
        """Issues with new or edited comments, unless the sweep has had them or the next one will."""
        found: list[str] = []
        upper, seen = until, set[str]()
        while True:
            wanted: dict[str, Any] = {
                "issue": {"team": {"key": {"eq": scope}}},
                "updatedAt": {"gt": _text(since), "lte": _text(upper)},
            }
            wanted |= {"id": {"nin": sorted(seen)}} if seen else {}
            given = {"filter": wanted, "first": queries.LIST}
            page = self._ask(queries.CHANGED_COMMENTS, payloads.CommentsAnswer, given)
            nodes = page.comments.nodes
            found += [each.issue.id for each in nodes if each.issue is not None and each.issue.updatedAt <= since]
            if not page.comments.pageInfo.hasNextPage or not nodes:
                return found
            lowest = nodes[-1].updatedAt
            ties = {each.id for each in nodes if each.updatedAt == lowest}
            upper, seen = lowest, (seen | ties if lowest == upper else ties)

    def _page_of(self, ids: Sequence[str]) -> Page:
        """Whole issues by id; those that are gone are left to the census."""
        found: list[_Row] = []
        missing = list(ids)
        while missing:
            rows, has_more = self._issues({"id": {"in": missing}})
            found.extend(rows)
            here = {head.id for head in self._heads_of(rows)}
            missing = [id for id in missing if id not in here] if has_more else []
        return self._page(found)

    # -- from nodes to issues --------------------------------------------------------------------------------------

    def _page(self, rows: Sequence[_Row]) -> Page:
        """Complete each issue, map it, and set aside what cannot be read."""
        quarantined: list[Quarantined] = []
        nodes: dict[str, tuple[bytes, payloads.IssueNode]] = {}
        for row in rows:
            raw = bytes(row.raw)
            try:
                node = self._node(raw, row.problem)
                nodes[node.id] = raw, node
            except MalformedPayload as problem:
                told = Quarantined(issue=problem.issue, path=problem.path, reason=str(problem), raw=raw)
                quarantined.append(told)
        whole = self._completed(nodes)
        names = self._names_for([node for _, node in whole.values()])
        pulled = tuple(Pulled(mapping.issue(node, names), raw) for raw, node in whole.values())
        return Page(issues=pulled, quarantined=tuple(quarantined), cursor="")

    def _node(self, raw: bytes, problem: str | None = None) -> payloads.IssueNode:
        title = msgspec.json.decode(raw, type=payloads.Title)
        issue = title.identifier or title.id or "?"
        if problem is not None:
            raise MalformedPayload(f"{self.name} issue {issue}: Linear says: {problem}", issue=issue, path="$")
        return decode(raw, payloads.IssueNode, issue=issue, source=self.name)

    def _names_for(self, nodes: Sequence[payloads.IssueNode]) -> mapping.Names:
        """The lists, read again when an issue carries something made since."""
        names = self._lists(fresh=False).names
        if names.missing(nodes) - self._unlisted:
            names = self._lists(fresh=True).names
            self._unlisted |= names.missing(nodes)  # still not there: do not ask again for every page
        return names

    def _completed(
        self, nodes: dict[str, tuple[bytes, payloads.IssueNode]]
    ) -> dict[str, tuple[bytes, payloads.IssueNode]]:
        """With everything that did not fit beside the issue: further history, comments, links, and spans if needed."""
        wanted = [(id, name, after) for id, (_, node) in nodes.items() for name, after in mapping.unfinished(node)]
        added = self._rest(wanted)
        whole = dict(nodes)
        for id, parts in added.items():
            raw = mapping.with_more(nodes[id][0], parts)
            whole[id] = raw, self._node(raw)
        broken = [id for id, (_, node) in whole.items() if node.stateHistory is None and mapping.is_chain_broken(node)]
        for id, parts in self._rest([(id, "stateHistory", None) for id in broken]).items():
            raw = mapping.with_more(whole[id][0], parts)
            whole[id] = raw, self._node(raw)
        return whole

    def _rest(self, wanted: list[tuple[str, str, str | None]]) -> dict[str, dict[str, list[Any]]]:
        """Issue id -> connection -> further nodes; many issues in one request, until nothing is left."""
        found: dict[str, dict[str, list[Any]]] = {}
        while wanted:
            batch, wanted = wanted[: queries.REST_ISSUES], wanted[queries.REST_ISSUES :]
            variables = {f"id{n}": id for n, (id, _, _) in enumerate(batch)}
            variables |= {f"after{n}": after for n, (_, _, after) in enumerate(batch) if after}
            answered = self._ask(queries.rest([name for _, name, _ in batch]), dict[str, payloads.RestPage], variables)
            for n, (id, name, _) in enumerate(batch):
                for node in answered[f"part{n}"].nodes:
                    part = node.connection(name)
                    found.setdefault(id, {}).setdefault(name, []).extend(part.nodes)
                    if part.pageInfo.hasNextPage:
                        wanted.append((id, name, part.pageInfo.endCursor))
        return found

    # -- one issue -------------------------------------------------------------------------------------------------

    def census(self, scope: str) -> Iterator[Sequence[str]]:
        """250 ids in a request; trashed issues count as gone."""
        batch: list[str] = []
        for head in self._heads({"team": {"key": {"eq": scope}}}):
            if not head.trashed:
                batch.append(head.id)
            if len(batch) == queries.LIST:
                yield batch
                batch = []
        yield batch

    def locate(self, issue: Issue) -> Whereabouts:
        """Linear says "not found" of deleted and of hidden issues alike; a team that is still visible decides."""
        try:
            found = self._ask(queries.WHERE, payloads.WhereAnswer, {"id": issue.id}).issue
        except NotFound:
            is_visible = issue.team is None or issue.team in self._lists(fresh=False).teams
            return Whereabouts.DELETED if is_visible else Whereabouts.UNREADABLE
        if found.trashed:
            return Whereabouts.DELETED
        return Whereabouts.PRESENT if found.team.key in self.scopes() else Whereabouts.MOVED

    def read(self, issue: Issue) -> Issue:
        answered = self._ask(queries.ISSUE, payloads.IssueAnswer, {"id": issue.id})
        page = self._page([_Row(answered.issue, None)])
        for problem in page.quarantined:
            raise MalformedPayload(problem.reason, issue=problem.issue, path=problem.path)
        found = page.issues[0].issue
        if found.presence is Presence.DELETED:
            raise NotFound(f"{self.name}: {found.key} is in Linear's trash")
        return found

    # -- labels ----------------------------------------------------------------------------------------------------

    def add_label(self, issue: Issue, label: str) -> None:
        self._change_label(queries.ADD_LABEL, issue, label, wanted=True)

    def remove_label(self, issue: Issue, label: str) -> None:
        self._change_label(queries.REMOVE_LABEL, issue, label, wanted=False)

    def _change_label(self, document: str, issue: Issue, label: str, *, wanted: bool) -> None:
        """One label only, so that nobody's simultaneous edit is lost. A refusal is no error if all is as wanted."""
        before = self._ask(queries.LABELS_OF, payloads.LabelsOfAnswer, {"id": issue.id}).issue
        label_id = self._label_id(label, before.team.id or "", create=wanted)
        if label_id is None or (label_id in before.labelIds) is wanted:
            return
        try:
            self._ask(document, dict[str, Any], {"id": issue.id, "label": label_id})
        except RequestRefused:
            after = self._ask(queries.LABELS_OF, payloads.LabelsOfAnswer, {"id": issue.id}).issue
            if (label_id in after.labelIds) is not wanted:
                raise

    def _label_id(self, name: str, team_id: str, *, create: bool) -> str | None:
        """A label of the workspace before one of the team; names are not unique across teams."""
        nodes = self._ask(queries.LABELS_NAMED, payloads.LabelsNamedAnswer, {"name": name}).issueLabels.nodes
        usable = [each for each in nodes if each.retiredAt is None and (each.team is None or each.team.id == team_id)]
        usable.sort(key=lambda each: (each.name != name, each.team is not None))
        if usable:
            if usable[0].isGroup:
                raise RequestRefused(
                    f"{self.name}: the label {name!r} is a group in Linear and cannot be put on an issue; "
                    "rename it, or choose another write_back.label_prefix"
                )
            return usable[0].id
        return self._create_label(name, team_id) if create else None

    def _create_label(self, name: str, team_id: str) -> str:
        """For the whole workspace. The id is ours, so a repeat after a lost answer cannot make two."""
        id = str(uuid.uuid4())
        given = {"id": id, "name": name, "color": LABEL_COLOR, "description": mapping.LABEL_DESCRIPTION}
        try:
            self._ask(queries.CREATE_LABEL, dict[str, Any], {"input": given})
        except RequestRefused:
            found = self._label_id(name, team_id, create=False)  # somebody else, or our own lost request, made it
            if found is None:
                raise
            return found
        return id

    # -- the managed comment ---------------------------------------------------------------------------------------

    def managed_comments(self, issue: Issue) -> Sequence[Comment]:
        given = {"id": issue.id, "marker": MARKER}
        answered = self._ask(queries.MANAGED_COMMENTS, payloads.CommentedAnswer, given)
        mapped = mapping.comments(answered.issue.comments.nodes, self._lists(fresh=False).names)
        return tuple(each for each in mapped if each.is_own)

    def create_comment(self, issue: Issue, body: str, *, key: str) -> Comment:
        """The comment's id is made from `key`; a second call gives the comment that is there."""
        id = comment_id(key)
        given = {"id": id, "issueId": issue.id, "body": mapping.marked(body), "doNotSubscribeToIssue": True}
        try:
            answered = self._ask(queries.CREATE_COMMENT, payloads.CreatedAnswer, {"input": given}, may_repeat=False)
        except RequestRefused:
            # What Linear answers to an id that exists is not published; whatever it is, the comment is looked up.
            there = self._comment(id, on=issue.id)
            if there is None:
                raise
            return there
        return self._mapped(answered.commentCreate.comment)

    def _comment(self, id: str, *, on: str) -> Comment | None:
        for each in self._ask(queries.COMMENT, payloads.CommentAnswer, {"id": id}).comments.nodes:
            if each.issue is not None and each.issue.id == on:
                return self._mapped(each)
        return None

    def _mapped(self, node: payloads.CommentNode) -> Comment:
        return mapping.comment(node, self._lists(fresh=False).names)

    def update_comment(self, issue: Issue, comment: Comment, body: str) -> Comment:
        given = {"id": comment.id, "body": mapping.marked(body)}
        answered = self._ask(queries.UPDATE_COMMENT, payloads.UpdatedAnswer, given)
        return self._mapped(answered.commentUpdate.comment)

    def delete_comment(self, issue: Issue, comment: Comment) -> None:
        try:
            self._ask(queries.DELETE_COMMENT, dict[str, Any], {"id": comment.id})
        except NotFound:
            return

    # -- diagnosis -------------------------------------------------------------------------------------------------

    def diagnose(self) -> Sequence[Check]:
        try:
            lists = self._lists(fresh=True)
        except TokenRefused as problem:
            remedy = "Linear, Settings, Security & access: make a personal API key, or renew the OAuth token"
            return (Check("token", Level.BAD, str(problem), remedy),)
        except PermissionMissing as problem:
            return (Check("read", Level.BAD, str(problem), "give the key the permission Read"),)
        return (
            Check("token", Level.GOOD, f"belongs to {lists.viewer.name} in {lists.organization}"),
            self._clock_check(),
            *(self._team_check(scope, lists.teams) for scope in self._settings.scope if scope != "*"),
            self._write_check("labels", queries.ADD_LABEL, {"id": NOBODY, "label": NOBODY}),
            self._write_check("comment", queries.DELETE_COMMENT, {"id": NOBODY}),
            self._status_check(lists),
        )

    def _clock_check(self) -> Check:
        off = self._skew.total_seconds()
        if abs(off) <= LARGEST_SKEW.total_seconds():
            return Check("clock", Level.GOOD, "agrees with Linear's")
        return Check(
            "clock",
            Level.WARNING,
            f"{abs(off):.0f} s {'behind' if off > 0 else 'ahead of'} Linear's",
            "set this machine's clock: webhooks more than 60 s off are refused",
        )

    def _team_check(self, key: str, teams: Mapping[str, str]) -> Check:
        if key in teams:
            return Check(f"team {key}", Level.GOOD, f"{teams[key]} can be read")
        problem = str(self._no_such_team(key, teams))
        return Check(f"team {key}", Level.BAD, problem, "correct the scope, or add the account to the team")

    def _write_check(self, what: str, document: str, variables: Mapping[str, str]) -> Check:
        """Asks for a change of something that does not exist: "not found" comes after the permission [not verified]."""
        name = f"write {what}"
        try:
            self._ask(document, dict[str, Any], variables)
        except NotFound:
            return Check(name, Level.GOOD, "allowed")
        except (PermissionMissing, TokenRefused) as problem:
            remedy = "give the key the permission Write (OAuth scope write); not needed while write_back.mode is off"
            return Check(name, Level.WARNING, str(problem), remedy)
        except TrackerError as problem:
            return Check(name, Level.WARNING, f"cannot tell: {problem}", "try `backlint plan`, then one issue")
        return Check(name, Level.GOOD, "allowed")

    def _status_check(self, lists: _Lists) -> Check:
        unmapped = [
            fact.name
            for fact in lists.names.statuses.facts
            if lists.names.statuses.status(fact.id).category is StatusCategory.UNKNOWN
        ]
        if not unmapped:
            return Check("statuses", Level.GOOD, f"{len(lists.names.statuses.facts)}, all with a category")
        return Check(
            "statuses", Level.WARNING, f"without a category: {', '.join(unmapped)}", "add them to [sources.statuses]"
        )


# -- pure helpers ------------------------------------------------------------------------------------------------------


def authorization(token: SecretStr) -> str:
    """A personal key goes as it is; OAuth tokens (`lin_oauth_...`) need the word Bearer, which may also be written."""
    value = token.get_secret_value()
    return f"Bearer {value}" if value.startswith("lin_oauth_") else value


def comment_id(key: str) -> str:
    """The key as a UUID of version 4, the only version that Linear takes."""
    return str(uuid.UUID(int=uuid.UUID(key).int, version=4))


def _step(size: int, *, count: int, newest: int) -> int:
    """Numbers in one window, so that it holds about a page of the issues that are left of them."""
    density = max(0.02, min(1.0, count / newest)) if newest else 1.0
    return max(1, int(size / density * (1.0 if density > 0.95 else 0.9)))


def _windows(above: int, newest: int, *, step: int) -> Iterator[tuple[int, int | None]]:
    """(above, upto] pairs; the last is open: an issue moved here may have a higher number than the newest ones."""
    while above < newest:
        yield above, min(newest, above + step)
        above = min(newest, above + step)
    yield above, None


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _beyond(scope: str, since: datetime, until: datetime, sweep: Sweep | None) -> dict[str, Any]:
    lower = {"gte": _text(sweep.at)} if sweep else {"gt": _text(since)}
    wanted: dict[str, Any] = {"team": {"key": {"eq": scope}}, "updatedAt": {**lower, "lte": _text(until)}}
    return {**wanted, "id": {"nin": list(sweep.seen)}} if sweep else wanted


def _place(sweep: Sweep | None, heads: Sequence[payloads.Head]) -> Sweep:
    """Behind the last issue: its time, and every id already had at that very time."""
    last = heads[-1].updatedAt
    ties = tuple(head.id for head in heads if head.updatedAt == last)
    return Sweep(last, (*(sweep.seen if sweep and sweep.at == last else ()), *ties))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
