"""Rounds of work, weather and kills on a sandbox tracker; every round has to end with a store equal to the tracker.

Each round: people edit, some of it while a pull runs; the tracker fails in every way that the sandbox knows; pulls are
killed between pages; projects and single issues vanish from our account's sight and come back. Then the weather is fair
and one pull is made. Two truths are asked after it: the world behind the sandbox (who exists, titles, labels, statuses,
histories, comments, parents, sprints), and a store that a second connector fills from nothing (every field).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from backlint.connectors.connect import make_connector
from backlint.connectors.contract import Connector
from backlint.connectors.sandbox.disturb import disturb, human_actor
from backlint.connectors.sandbox.faults import KINDS
from backlint.connectors.sandbox.github_shapes import NEW_ID, database_id
from backlint.connectors.sandbox.trackers import TOKEN, USER, Sandbox, start
from backlint.connectors.sandbox.world import WorldComment, WorldIssue
from backlint.model import Comment, Issue, Presence
from backlint.settings import SourceSettings
from backlint.sync import store
from backlint.sync.census import LOOK_AGAIN
from backlint.sync.database import open_engine, reading, require_current
from backlint.sync.pull import SourcePull, pull

DEPLOYMENTS = {  # name -> (tracker, deployment)
    "jira-cloud": ("jira", "cloud"),
    "jira-server": ("jira", "server"),
    "linear": ("linear", "cloud"),
    "github": ("github", "cloud"),
    "github-server": ("github", "server"),
}
STORMY_PULLS = 2
# Shares of requests. Together a tenth fails, as on a bad day; a pull of a small backlog meets several faults.
STORM = {
    "server_error_share": 0.04, "lost_answer_share": 0.02, "truncated_share": 0.02, "broken_json_share": 0.01,
    "html_share": 0.01,
}  # fmt: skip
MOST_SHOWN = 12
# Former keys are kept by the store where the tracker forgets them.
NOT_COMPARED = frozenset({"aliases"})


class Killed(BaseException):
    """The end of a process in the middle of a pull: nothing of ours may catch it."""


@dataclass
class Soak:
    """One sandbox with its store; `problems` is the difference of a round, empty when store and tracker agree."""

    name: str
    sandbox: Sandbox
    folder: Path
    seed: int
    kill_by_signal: bool = False
    rounds: int = 0
    kills: int = 0
    faulty: int = 0
    refused: int = 0
    _once_hidden: set[str] = field(default_factory=set)  # issues that our account could not see at some time
    _random: Random = field(init=False)
    engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.name} {self.seed}")
        self.engine = self._opened("soak.db")

    def _opened(self, name: str) -> sa.Engine:
        engine = open_engine(f"sqlite:///{self.folder / f'{self.name}-{self.seed}-{name}'}")
        require_current(engine)
        return engine

    def close(self) -> None:
        self.engine.dispose()

    # -- a round ---------------------------------------------------------------------------------------------------

    def round(self) -> list[str]:
        """What the store has wrong after one more round."""
        self.rounds += 1
        self._people_work(self._random.randint(3, 14))
        with self._hidden_project():
            for _ in range(STORMY_PULLS):
                self._storm()
                self._pull_and_perhaps_die()
                self.sandbox.faults.calm()
                self._people_work(self._random.randint(1, 5))
        # So late that archived issues, which no list names, are looked at again.
        result = self._pull(self.engine, now=datetime.now(UTC) + self.rounds * 2 * LOOK_AGAIN)
        problems = [f"the pull says: {each}" for each in result.problems]
        return [*problems, *self._against_the_world(), *self._against_a_fresh_store()]

    def _storm(self) -> None:
        faults, random = self.sandbox.faults, self._random
        strength = random.choice((0.0, 0.5, 1.0, 2.0))
        faults.update({"seed": random.randrange(10**6), **{name: share * strength for name, share in STORM.items()}})
        for kind in random.sample(KINDS, random.randint(0, 2)):
            faults.fail_next(random.randint(1, 2), kind)
        if random.random() < 0.2:
            faults.update({"rate_limit": random.randint(3, 30), "rate_window": 0.2})

    @contextmanager
    def _hidden_project(self) -> Iterator[None]:
        """Sometimes our account may not see one of the projects for a while."""
        project = self._random.choice(list(self.sandbox.world.projects.values()))
        project.is_readable = self._random.random() < 0.7
        if not project.is_readable:
            self._note_hidden(self.sandbox.world.in_project(project.key))
        self._tell_sandbox()
        yield
        if not project.is_readable:
            self._note_hidden(self.sandbox.world.in_project(project.key))
            project.is_readable = True
        self._tell_sandbox()

    def _tell_sandbox(self) -> None:
        """The sandboxes keep indexes until something happens in the world."""
        world = self.sandbox.world
        some = next(iter(world.issues.values()))
        world.tell("project_changed", some, None, None)

    # -- pulls -----------------------------------------------------------------------------------------------------

    def _pull(self, engine: sa.Engine, **given: Any) -> SourcePull:
        connector = connector_of(self.sandbox)
        try:
            (result,) = pull(engine, [connector], **{"now": datetime.now(UTC), **given})
        finally:
            connector.close()
        return result

    def _pull_and_perhaps_die(self) -> None:
        full = self._random.random() < 0.15
        if self.kill_by_signal and self._random.random() < 0.4:
            self._pull_and_be_killed(full=full)
            return
        pages = self._random.choice((1, 2, 3, 5, 99, 99))
        edits = self._random.choice((0, 0, 1, 3))

        def after_a_page(**_what: Any) -> None:
            nonlocal pages
            self._people_work(edits)
            pages -= 1
            if pages == 0:
                raise Killed

        try:
            result = self._pull(self.engine, full=full, progress=after_a_page)
            self.faulty += not result.complete
        except Killed:
            self.kills += 1

    def _pull_and_be_killed(self, *, full: bool) -> None:
        """A process of its own, ended by SIGKILL wherever it is."""
        command = [sys.executable, "-m", "tests.connectors.soaking", self.sandbox.tracker, self.sandbox.url]
        command += [str(self.engine.url.database), "full" if full else "more", *self.sandbox.world.projects]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        process.stdout.readline()  # it is about to begin
        with suppress(subprocess.TimeoutExpired):
            process.wait(self._random.uniform(0.0, 0.6))
        self.kills += process.poll() is None
        process.kill()
        process.communicate()

    # -- people ----------------------------------------------------------------------------------------------------

    def _people_work(self, count: int) -> None:
        world, random = self.sandbox.world, self._random
        for _ in range(count):
            if random.random() < 0.6:
                disturb(world, seed=random.randrange(10**9), count=1, now=world.clock())
                continue
            issue = random.choice(sorted(world.issues.values(), key=lambda each: each.id))
            acts: list[Callable[[WorldIssue, str], None]] = [
                self._move_away, self._move_away, self._reopen, self._reopen, self._relabel, self._delete,
                self._change_parent, self._change_sprint, self._edit_comment, self._delete_comment, self._hide_or_show,
                self._archive_or_back,
            ]  # fmt: skip
            random.choice(acts)(issue, human_actor(world, random))

    def _move_away(self, issue: WorldIssue, actor: str) -> None:
        others = [key for key in self.sandbox.world.projects if key != issue.project]
        self.sandbox.world.move_issue(issue, self._random.choice(others), actor=actor)

    def _reopen(self, issue: WorldIssue, actor: str) -> None:
        """Into any other status and back, so that histories hold more than straight lines."""
        before, world = issue.status, self.sandbox.world
        for status in (self._random.choice(list(world.statuses)), before):
            self._set_status(issue, status, actor)

    def _set_status(self, issue: WorldIssue, status: str, actor: str) -> None:
        world = self.sandbox.world
        world.change(issue, "status", status, actor=actor)
        if world.flavour != "linear":
            is_over = world.statuses[status].kind in ("completed", "cancelled")
            names = ("completed", "not_planned") if world.flavour == "github" else ("Done", "Won't Do")
            said = names[world.statuses[status].kind == "cancelled"] if is_over else None
            world.change(issue, "resolution", said, actor=actor)

    def _relabel(self, issue: WorldIssue, actor: str) -> None:
        name = f"soak-{self._random.randint(1, 4)}"
        kept = [label for label in issue.labels if label != name]
        wanted = kept if len(kept) < len(issue.labels) else [*kept, name]
        self.sandbox.world.change(issue, "labels", wanted, actor=actor)

    def _delete(self, issue: WorldIssue, actor: str) -> None:
        self.sandbox.world.delete_issue(issue, actor=actor)

    def _change_parent(self, issue: WorldIssue, actor: str) -> None:
        if issue.type not in ("story", "task", "bug", "spike"):
            return
        world = self.sandbox.world
        epics = [each.id for each in world.in_project(issue.project) if each.type == "epic"]
        world.change(issue, "parent", self._random.choice([None, *epics]), actor=actor)

    def _change_sprint(self, issue: WorldIssue, actor: str) -> None:
        world = self.sandbox.world
        there = [each.id for each in world.sprints.values() if each.project == issue.project and not each.completed_at]
        world.change(issue, "sprint", self._random.choice([None, *there]), actor=actor)

    def _edit_comment(self, issue: WorldIssue, actor: str) -> None:
        if issue.comments:
            comment = self._random.choice(issue.comments)
            self.sandbox.world.edit_comment(issue, comment, f"On reflection: {self.rounds}", actor=actor)

    def _delete_comment(self, issue: WorldIssue, actor: str) -> None:
        if issue.comments:
            gone = self._random.choice(issue.comments)
            self.sandbox.world.delete_comment(issue, gone.id, actor=actor)

    def _hide_or_show(self, issue: WorldIssue, actor: str) -> None:
        """A security level in Jira, the trash in Linear: `updated` does not move. GitHub has nothing like it."""
        world = self.sandbox.world
        if world.flavour == "github":
            return
        hidden = [each for each in world.issues.values() if each.is_trashed]
        if hidden and self._random.random() < 0.6:
            back = self._random.choice(hidden)
            self._note_hidden([back])
            back.is_trashed, back.archived_at = False, None
            world.tell("issue_restored", back, None, actor)
            return
        self._note_hidden([issue])
        issue.is_trashed = True
        issue.archived_at = world.clock() if world.flavour == "linear" else None
        world.tell("issue_trashed", issue, None, actor)

    def _archive_or_back(self, issue: WorldIssue, actor: str) -> None:
        """Without moving `updated`. Whether Linear moves it when an issue comes back is not known; here it does
        [unverified], since nothing else of the issue would show in its lists."""
        world = self.sandbox.world
        if world.flavour == "github" or issue.is_trashed:
            return
        if issue.is_archived:
            issue.is_archived, issue.archived_at = False, None
            if world.flavour == "linear":
                issue.updated_at = world.clock()
            world.tell("issue_unarchived", issue, None, actor)
        else:
            world.archive_issue(issue, actor=actor)

    # -- the truth -------------------------------------------------------------------------------------------------

    def _stored(self, engine: sa.Engine) -> dict[str, Issue]:
        with reading(engine) as connection:
            found = store.load_issues(connection)
        return {issue.id: issue for issue in found if issue.presence is Presence.PRESENT}

    def _against_the_world(self) -> list[str]:
        """What anybody can see who looks into the tracker."""
        world = self.sandbox.world
        with world.lock:
            there = {self._identity(issue): issue for issue in world.issues.values() if not issue.is_trashed}
            seen = self._stored(self.engine)
            # Jira's archive is out of every search: what was there before stays as it was, what was not stays unknown.
            for id in [id for id, issue in there.items() if issue.is_archived and world.flavour == "jira"]:
                del there[id]
                seen.pop(id, None)
            problems = [f"{there[id].key} ({id}) is missing" for id in sorted(there.keys() - seen.keys())]
            problems += [f"{seen[id].key} ({id}) is no longer there" for id in sorted(seen.keys() - there.keys())]
            for id in sorted(there.keys() & seen.keys()):
                problems += self._differences(there[id], seen[id])
        return problems

    def _differences(self, issue: WorldIssue, seen: Issue) -> Iterator[str]:
        world = self.sandbox.world
        pairs: dict[str, tuple[Any, Any]] = {
            "key": (issue.key, seen.key),
            "title": (issue.title, seen.title),
            "labels": (sorted(issue.labels), sorted(seen.labels)),
            "assignee": ([issue.assignee] if issue.assignee else [], list(seen.assignees)),
            "comments": (in_order(issue.comments), in_order(seen.comments)),
        }
        if world.flavour == "github":
            closed = world.statuses[issue.status].kind in ("completed", "cancelled")
            pairs["closed"] = (closed, seen.status.id.startswith("closed:"))
            pairs["comments"] = (len(issue.comments), len(seen.comments))
        else:
            steps = [(each.before, each.after) for each in issue.events if each.field == "status"]
            if issue.parent not in self._once_hidden:
                pairs["parent"] = (self._living(issue.parent), self._living(seen.parent))
            pairs["status"] = (issue.status, seen.status.id)
            pairs["transitions"] = (steps, [(each.before.id, each.after.id) for each in seen.transitions])
            # Jira shows past sprints on an issue that nobody finished in them.
            now_in = [each.sprint for each in seen.sprints if each.removed_at is None]
            is_over = issue.sprint is not None and world.sprints[issue.sprint].completed_at is not None
            pairs["sprint"] = (
                [issue.sprint] if issue.sprint and not is_over else [],
                [each.id for each in now_in if each.state != "closed"],
            )
        for name, (wanted, got) in pairs.items():
            if wanted != got:
                yield f"{issue.key} {name}: the tracker has {wanted!r}, the store {got!r}"

    def _against_a_fresh_store(self) -> list[str]:
        """A full pull by somebody who knows nothing must give the very same."""
        fresh = self._opened(f"fresh{self.rounds}.db")
        result = self._pull(fresh)
        wanted, seen = self._stored(fresh), self._stored(self.engine)
        fresh.dispose()
        problems = [f"a fresh pull says: {each}" for each in result.problems]
        for id in sorted(wanted.keys() & seen.keys()):
            mine, theirs = self._settled(seen[id]), self._settled(wanted[id])
            problems += [
                f"{mine.key} {each.name}: a fresh pull gives {getattr(theirs, each.name)!r}, "
                f"the store has {getattr(mine, each.name)!r}"
                for each in fields(Issue)
                if each.name not in NOT_COMPARED and getattr(mine, each.name) != getattr(theirs, each.name)
            ]
        return problems

    def _living(self, id: str | None) -> str | None:
        found = self.sandbox.world.issues.get(id or "")
        return id if found is not None and not found.is_trashed else None

    def _identity(self, issue: WorldIssue) -> str:
        return str(database_id(issue)) if self.sandbox.tracker == "github" else issue.id

    def _note_hidden(self, issues: Iterable[WorldIssue]) -> None:
        self._once_hidden |= {name for each in issues for name in (self._identity(each), each.key, *each.former_keys)}

    def _renamed(self) -> set[str]:
        """On GitHub a transferred issue is another issue."""
        world = self.sandbox.world
        if world.flavour != "github":
            return set()
        moved = [issue for issue in (*world.issues.values(), *world.deleted.values()) if issue.former_keys]
        return {str(int(each.id) + NEW_ID * times) for each in moved for times in range(len(each.former_keys) + 1)}

    def _settled(self, issue: Issue) -> Issue:
        """Without what no tracker tells on an issue: that its parent or one that it links to went or came back.

        That moves no time but their own.
        """
        world = self.sandbox.world
        deleted = {name for each in world.deleted.values() for name in (self._identity(each), each.key)}
        gone = deleted | self._once_hidden | self._renamed()
        return replace(
            issue,
            parent=issue.parent if issue.parent not in gone else None,
            links=tuple(link for link in issue.links if link.target not in gone),
            # A history that names a parent which is gone for good names nobody when it is read anew.
            changes=tuple(
                each for each in issue.changes if not gone & {each.before, each.after} and (each.before or each.after)
            ),
            fields=dict(issue.fields),
        )


def connector_of(sandbox: Sandbox) -> Connector:
    return _connector(sandbox.tracker, sandbox.url, sorted(sandbox.world.projects))


def _connector(tracker: str, url: str, scope: Sequence[str]) -> Connector:
    """Never waits: what is tested is what is stored, not for how long."""
    settings = SourceSettings(
        name=tracker, tracker=tracker, url=url, user=USER if tracker == "jira" else "", scope=tuple(scope),
        requests_per_second=10_000, concurrency=4,
    )  # fmt: skip
    return make_connector(settings, SecretStr(TOKEN), sleep=lambda _seconds: None)


@contextmanager
def soaking(name: str, folder: Path, *, seed: int, size: int, kill_by_signal: bool = False) -> Iterator[Soak]:
    tracker, deployment = DEPLOYMENTS[name]
    with ExitStack() as stack:
        now = datetime.now(UTC)
        sandbox = start(stack, tracker, size=size, seed=seed, now=now, deployment=deployment)
        soak = Soak(name, sandbox, folder, seed, kill_by_signal)
        stack.callback(soak.close)
        yield soak


def shown(problems: Sequence[str]) -> str:
    rest = len(problems) - MOST_SHOWN
    return "\n".join(["", *problems[:MOST_SHOWN], *([f"... and {rest} more"] if rest > 0 else [])])


def main(arguments: Sequence[str]) -> None:
    """The process that is killed: one pull."""
    tracker, url, database, how, *scope = arguments
    connector = _connector(tracker, url, scope)
    engine = open_engine(f"sqlite:///{database}")
    require_current(engine)
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    pull(engine, [connector], now=datetime.now(UTC), full=how == "full")


if __name__ == "__main__":
    main(sys.argv[1:])


def in_order(comments: Sequence[WorldComment] | Sequence[Comment]) -> list[str]:
    """Ids by time. Of comments made in one second no tracker promises an order."""
    return [each.id for each in sorted(comments, key=lambda each: (each.at.replace(microsecond=0), each.id))]
