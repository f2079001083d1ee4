"""What every connector promises, tried over real HTTP against its sandbox. A tracker's test file subclasses it.

The subclass sets `flavour` and gives `make_app` and `make_connector`; `identity` and `scope_of` translate where the
tracker's ids or scopes differ from the world's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from backlint.connectors import hooks
from backlint.connectors.contract import Connector, Whereabouts
from backlint.connectors.sandbox.faults import Faults
from backlint.connectors.sandbox.generate import generate
from backlint.connectors.sandbox.server import Running, serve
from backlint.connectors.sandbox.world import World, WorldIssue
from backlint.errors import NotFound, StoreError, TokenRefused, TrackerDown
from backlint.model import Comment, Issue, StatusCategory

NOW = datetime.now(UTC)
GOOD_TOKEN = "sandbox-token"
OURS, OTHERS = "https://backlint.example.test/webhooks/acme", "https://others.example.test/hook"
SECRET = SecretStr("a webhook secret")


class ConnectorContract:
    flavour: ClassVar[str]
    size: ClassVar[int] = 90
    another_mapping: ClassVar[dict[str, Any]]  # settings of a source under which its payloads become other issues

    # -- what a tracker's test file provides -----------------------------------------------------------------------

    def make_app(self, world: World) -> Any:
        """The sandbox application over the world; accepts GOOD_TOKEN."""
        raise NotImplementedError

    def make_connector(
        self, url: str, *, scope: tuple[str, ...], token: str, sleep: Callable[[float], None], **settings: Any
    ) -> Connector:
        raise NotImplementedError

    def identity(self, issue: WorldIssue) -> str:
        return issue.id

    def scope_of(self, world: World) -> str:
        return max(world.projects, key=lambda key: len(world.in_project(key)))

    # -- fixtures --------------------------------------------------------------------------------------------------

    @pytest.fixture
    def world(self) -> World:
        return generate(self.flavour, seed=11, size=self.size, now=NOW)

    @pytest.fixture
    def faults(self) -> Faults:
        return Faults()

    @pytest.fixture
    def server(self, world: World, faults: Faults) -> Iterator[Running]:
        with serve(self.make_app(world), faults=faults) as running:
            yield running

    @pytest.fixture
    def scope(self, world: World) -> str:
        return self.scope_of(world)

    @pytest.fixture
    def connect(self, server: Running, scope: str) -> Iterator[Callable[..., Connector]]:
        made: list[Connector] = []

        def build(**given: Any) -> Connector:
            arguments = {"scope": (scope,), "token": GOOD_TOKEN, "sleep": lambda _seconds: None, **given}
            made.append(self.make_connector(server.url, **arguments))
            return made[-1]

        yield build
        for connector in made:
            connector.close()

    @pytest.fixture
    def connector(self, connect: Callable[..., Connector]) -> Connector:
        return connect()

    @pytest.fixture
    def in_scope(self, world: World, scope: str) -> list[WorldIssue]:
        return world.in_project(scope)

    # -- reading ---------------------------------------------------------------------------------------------------

    def test_a_pull_gives_every_issue_of_the_scope(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue]
    ) -> None:
        pulled = everything(connector, scope)

        assert set(pulled) == {self.identity(issue) for issue in in_scope}

    def test_titles_labels_and_keys_are_those_of_the_tracker(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue]
    ) -> None:
        pulled = everything(connector, scope)

        for issue in in_scope:
            seen = pulled[self.identity(issue)]
            assert (seen.title, seen.labels, seen.key) == (issue.title, frozenset(issue.labels), issue.key)

    def test_every_status_of_every_history_has_a_category(self, connector: Connector, scope: str) -> None:
        pulled = everything(connector, scope)

        categories = {
            status.category
            for issue in pulled.values()
            for status in (issue.status, *(side for step in issue.transitions for side in (step.before, step.after)))
        }
        assert StatusCategory.UNKNOWN not in categories
        assert StatusCategory.DONE in categories

    def test_histories_are_whole_in_order_and_end_in_the_present_status(self, connector: Connector, scope: str) -> None:
        pulled = everything(connector, scope)

        moved = [issue for issue in pulled.values() if issue.transitions]
        assert moved
        for issue in moved:
            times = [step.at for step in issue.transitions]
            assert times == sorted(times)
            assert issue.transitions[-1].after.id == issue.status.id

    def test_comments_come_with_their_text_and_author(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue]
    ) -> None:
        pulled = everything(connector, scope)

        for issue in in_scope:
            seen = pulled[self.identity(issue)]
            assert [comment.author for comment in seen.comments] == [comment.author for comment in issue.comments]
            assert all(comment.body for comment in seen.comments)

    def test_going_on_behind_any_page_gives_what_one_pull_gives(
        self, connect: Callable[..., Connector], scope: str
    ) -> None:
        whole = everything(connect(), scope)
        pages = list(connect().pull(scope, None))

        for stop in range(1, len(pages)):
            seen = {pulled.issue.id: pulled.issue for page in pages[:stop] for pulled in page.issues}
            seen |= everything(connect(), scope, pages[stop - 1].cursor)
            assert seen == whole

    def test_an_incremental_pull_gives_the_changed_issue_and_few_others(
        self, connector: Connector, scope: str, world: World, in_scope: list[WorldIssue]
    ) -> None:
        cursor = list(connector.pull(scope, None))[-1].cursor
        changed = in_scope[0]
        world.change(changed, "title", "Renamed while nobody looked", actor=changed.reporter)

        again = everything(connector, scope, cursor)

        assert again[self.identity(changed)].title == "Renamed while nobody looked"
        assert len(again) < len(in_scope) / 2

    def test_the_cursor_of_an_incremental_pull_starts_the_next_one(
        self, connector: Connector, scope: str, world: World, in_scope: list[WorldIssue]
    ) -> None:
        cursor = None
        for round_, issue in enumerate(in_scope[:3]):
            cursor = list(connector.pull(scope, cursor))[-1].cursor
            world.change(issue, "title", f"Renamed in round {round_}", actor=issue.reporter)

        again = everything(connector, scope, cursor)

        assert again[self.identity(in_scope[2])].title == "Renamed in round 2"

    def test_a_pull_without_changes_still_ends_with_a_last_page(self, connector: Connector, scope: str) -> None:
        first = list(connector.pull(scope, None))

        again = list(connector.pull(scope, first[-1].cursor))

        assert again[-1].is_last
        assert sum(page.is_last for page in again) == 1

    def test_the_census_is_exactly_what_exists(
        self, connector: Connector, scope: str, world: World, in_scope: list[WorldIssue]
    ) -> None:
        gone = in_scope[0]
        world.delete_issue(gone, actor=None)

        found = {id for ids in connector.census(scope) for id in ids}

        assert found == {self.identity(issue) for issue in in_scope[1:]}

    def test_issues_of_the_census_are_fetched_by_id_whenever_they_changed(
        self, connector: Connector, scope: str, world: World, in_scope: list[WorldIssue]
    ) -> None:
        pulled = everything(connector, scope)
        wanted = [id for ids in connector.census(scope) for id in ids][:3]
        world.delete_issue(next(issue for issue in in_scope if self.identity(issue) == wanted[0]), actor=None)

        fetched = {each.issue.id: each for page in connector.fetch(scope, wanted) for each in page.issues}

        assert set(fetched) == set(wanted[1:])
        for id, each in fetched.items():
            assert (each.issue.title, each.issue.transitions) == (pulled[id].title, pulled[id].transitions)
            assert each.issue.comments == pulled[id].comments
            assert each.raw

    def test_a_scope_that_cannot_be_seen_keeps_no_other_from_being_pulled(
        self, connect: Callable[..., Connector], world: World, scope: str
    ) -> None:
        hidden = next(key for key in world.projects if key != scope)
        world.projects[hidden].is_readable = False
        connector = connect(scope=(hidden, scope))

        assert set(connector.scopes()) == {hidden, scope}
        assert connector.reference().own_account is not None
        assert everything(connector, scope)
        with pytest.raises(NotFound, match=hidden):
            list(connector.pull(hidden, None))

    def test_a_deleted_issue_is_not_located_as_present(
        self, connector: Connector, scope: str, world: World, in_scope: list[WorldIssue]
    ) -> None:
        pulled = everything(connector, scope)
        gone, kept = in_scope[0], in_scope[1]
        world.delete_issue(gone, actor=None)

        assert connector.locate(pulled[self.identity(gone)]) in (Whereabouts.DELETED, Whereabouts.UNREADABLE)
        assert connector.locate(pulled[self.identity(kept)]) is Whereabouts.PRESENT

    def test_reading_a_deleted_issue_says_not_found(
        self, connector: Connector, scope: str, world: World, in_scope: list[WorldIssue]
    ) -> None:
        issue = everything(connector, scope)[self.identity(in_scope[0])]
        world.delete_issue(in_scope[0], actor=None)

        with pytest.raises(NotFound):
            connector.read(issue)

    def test_people_are_known_with_their_active_state(self, connector: Connector, scope: str, world: World) -> None:
        reference = connector.reference()

        known = {person.id for person in reference.people}
        assignees = {id for issue in everything(connector, scope).values() for id in issue.assignees}
        assert assignees
        assert assignees <= known or not known  # a tracker that lists no people names them in the issues
        assert reference.own_account is not None

    def test_payloads_mapped_again_are_what_a_pull_with_the_new_mapping_gives(
        self, connect: Callable[..., Connector], scope: str
    ) -> None:
        before, after = connect(), connect(**self.another_mapping)
        facts = before.reference().facts
        payloads = [each.raw for page in before.pull(scope, None) for each in page.issues]

        mapped = [after.stored(facts, now=NOW)(raw) for raw in payloads]

        again = everything(after, scope)
        assert {issue.id: issue for issue in mapped} == again
        assert again != everything(before, scope)

    def test_the_same_mapping_makes_the_same_issues_of_the_payloads(self, connector: Connector, scope: str) -> None:
        reference = connector.reference()
        mapped = connector.stored(reference.facts, now=NOW)

        for page in connector.pull(scope, None):
            assert [mapped(each.raw) for each in page.issues] == [each.issue for each in page.issues]

    def test_only_settings_that_shape_issues_change_the_digest_of_the_mapping(
        self, connect: Callable[..., Connector]
    ) -> None:
        digest = connect().reference().mapping

        assert connect(timeout=7.0).reference().mapping == digest
        assert connect(**self.another_mapping).reference().mapping != digest

    def test_facts_of_another_version_are_refused(self, connector: Connector) -> None:
        with pytest.raises(StoreError, match="pull again"):
            connector.stored(b'{"v": 99}', now=NOW)

    # -- refusals --------------------------------------------------------------------------------------------------

    def test_a_wrong_token_is_refused_without_printing_it(self, connect: Callable[..., Connector], scope: str) -> None:
        connector = connect(token="wrong-and-secret")

        with pytest.raises(TokenRefused) as refusal:
            list(connector.pull(scope, None))
        assert "wrong-and-secret" not in str(refusal.value)

    def test_an_unknown_scope_is_named(self, connect: Callable[..., Connector], scope: str) -> None:
        unknown = "sandbox-org/nowhere" if "/" in scope else "NOWHERE"
        connector = connect(scope=(unknown,))

        with pytest.raises(NotFound, match=unknown):
            list(connector.pull(unknown, None))

    def test_an_unreachable_host_is_down_and_named(
        self, server: Running, connect: Callable[..., Connector], scope: str
    ) -> None:
        connector = connect()
        server.stop()

        with pytest.raises(TrackerDown, match=r"127\.0\.0\.1"):
            list(connector.pull(scope, None))

    @pytest.mark.parametrize("kind", ["server_error", "lost_answer", "truncated", "html"])
    def test_a_passing_fault_is_ridden_out(
        self, connect: Callable[..., Connector], faults: Faults, scope: str, in_scope: list[WorldIssue], kind: str
    ) -> None:
        faults.fail_next(2, kind)

        assert set(everything(connect(), scope)) == {self.identity(issue) for issue in in_scope}

    # -- writing ---------------------------------------------------------------------------------------------------

    def test_a_label_is_added_beside_those_of_people(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue]
    ) -> None:
        target = in_scope[0]
        before = list(target.labels)
        issue = everything(connector, scope)[self.identity(target)]

        connector.add_label(issue, "hygiene:needs-owner")
        connector.add_label(issue, "hygiene:needs-owner")

        assert sorted(target.labels) == sorted([*before, "hygiene:needs-owner"])
        assert connector.read(issue).labels == frozenset(target.labels)

    def test_only_the_named_label_is_removed(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue]
    ) -> None:
        target = in_scope[0]
        before = list(target.labels)
        issue = everything(connector, scope)[self.identity(target)]
        connector.add_label(issue, "hygiene:needs-owner")

        connector.remove_label(issue, "hygiene:needs-owner")
        connector.remove_label(issue, "hygiene:needs-owner")

        assert sorted(target.labels) == sorted(before)

    def test_the_managed_comment_is_written_found_changed_and_deleted(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue]
    ) -> None:
        target = in_scope[0]
        issue = everything(connector, scope)[self.identity(target)]
        foreign = len(target.comments)

        written = connector.create_comment(issue, BODY, key=KEY)
        assert [comment.id for comment in connector.managed_comments(issue)] == [written.id]
        changed = connector.update_comment(issue, written, BODY.replace("Two", "Three"))
        assert changed.id == written.id
        assert len(target.comments) == foreign + 1
        assert "Three" in str(target.comments[-1].body)

        connector.delete_comment(issue, changed)
        connector.delete_comment(issue, changed)
        assert connector.managed_comments(issue) == [] or connector.managed_comments(issue) == ()
        assert len(target.comments) == foreign

    def test_the_own_comment_is_marked_at_the_door_and_those_of_people_are_not(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue], world: World
    ) -> None:
        target = in_scope[0]
        issue = everything(connector, scope)[self.identity(target)]
        written = connector.create_comment(issue, BODY, key=KEY)
        person = next(id for id, each in world.people.items() if id != world.bot and not each.is_bot)
        world.add_comment(target, target.comments[-1].body, actor=person)  # somebody pastes it, marker and all

        seen = connector.read(issue)

        assert [comment.id for comment in seen.comments if comment.is_own] == [written.id]
        assert [comment.id for comment in connector.managed_comments(issue)] == [written.id]

    def test_a_lost_answer_to_the_comment_is_settled_by_reading(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue], faults: Faults
    ) -> None:
        target = in_scope[0]
        issue = everything(connector, scope)[self.identity(target)]
        foreign = len(target.comments)
        connector.managed_comments(issue)
        faults.fail_next(1, "lost_answer", only_writes=True)

        with suppress(TrackerDown):
            connector.create_comment(issue, BODY, key=KEY)
        found = connector.managed_comments(issue)

        assert len(found) == 1
        assert len(target.comments) == foreign + 1

    def test_writing_to_a_deleted_issue_says_not_found(
        self, connector: Connector, scope: str, in_scope: list[WorldIssue], world: World
    ) -> None:
        issue = everything(connector, scope)[self.identity(in_scope[0])]
        world.delete_issue(in_scope[0], actor=None)

        with pytest.raises(NotFound):
            connector.add_label(issue, "hygiene:needs-owner")
        with pytest.raises(NotFound):
            connector.create_comment(issue, BODY, key=KEY)

    def test_the_diagnosis_of_a_good_set_up_has_no_bad_line(self, connector: Connector) -> None:
        checks = connector.diagnose()

        assert checks
        assert [check for check in checks if check.level.value == "bad"] == []

    def test_the_diagnosis_of_a_wrong_token_says_so_with_a_remedy(self, connect: Callable[..., Connector]) -> None:
        checks = connect(token="wrong-and-secret").diagnose()

        bad = [check for check in checks if check.level.value == "bad"]
        assert bad
        assert all(check.remedy for check in bad)

    def test_discovery_names_scopes_and_statuses(self, connector: Connector, scope: str) -> None:
        facts = connector.discover()

        assert scope in {name for name, _ in facts.scopes}
        assert facts.statuses

    # -- webhooks --------------------------------------------------------------------------------------------------

    def test_a_second_registration_of_webhooks_changes_nothing_and_removal_leaves_those_of_others(
        self, world: World, connect: Callable[..., Connector]
    ) -> None:
        registrar = connect().registrar()
        hooks.register(registrar, OTHERS, SECRET)
        theirs = dict(world.hooks)

        first = hooks.register(registrar, OURS, SECRET)
        made = {id: replace(hook) for id, hook in world.hooks.items()}
        second = hooks.register(registrar, OURS, SECRET)

        assert len(first.created) == len(registrar.targets())
        assert (second.created, second.repaired, second.spare) == ((), (), ())
        assert {hook.id for hook in second.kept} == {hook.id for hook in first.created}
        assert world.hooks == made
        assert hooks.standing(registrar, OURS).is_whole
        assert {hook.secret for hook in world.hooks.values()} == {SECRET.get_secret_value()}

        hooks.remove(registrar, OURS)
        assert world.hooks == theirs
        assert hooks.remove(registrar, OURS) == ()

    def test_a_webhook_that_was_switched_off_or_reports_too_little_is_mended(
        self, world: World, connect: Callable[..., Connector]
    ) -> None:
        registrar = connect().registrar()
        hooks.register(registrar, OURS, SECRET)
        for hook in world.hooks.values():
            hook.is_enabled, hook.events = False, hook.events[:1]
        before = set(world.hooks)

        assert not hooks.standing(registrar, OURS).is_whole
        done = hooks.register(registrar, OURS, SECRET)

        assert (len(done.repaired), done.created) == (len(before), ())
        assert set(world.hooks) == before
        assert hooks.standing(registrar, OURS).is_whole


BODY = """Two questions on this issue:

- Who makes the final call here? (`OWN001`)
- What must be observably true for you to accept this? (`AC001`)

Waive a rule with `/hygiene waive AC001 until 2026-06-30: reason`."""
KEY = "5f0c2a4e-9d55-4c51-8a55-0d6b1f6f2b11"


def everything(connector: Connector, scope: str, cursor: str | None = None) -> dict[str, Issue]:
    """All issues of a pull by id; fails on anything quarantined."""
    found: dict[str, Issue] = {}
    for page in connector.pull(scope, cursor):
        assert page.quarantined == ()
        found |= {pulled.issue.id: pulled.issue for pulled in page.issues}
    return found


def bodies(comments: Iterable[Comment]) -> list[str]:
    return [comment.body for comment in comments]
