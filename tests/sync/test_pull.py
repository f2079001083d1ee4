"""Pulling into a real store from a tracker that behaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from backlint.connectors.contract import Page, Pulled, Reference
from backlint.errors import TokenRefused, TrackerDown
from backlint.examples import a_comment, a_transition, an_issue
from backlint.model import Issue, Link, LinkKind, Presence, Sprint, SprintMembership, StatusCategory
from backlint.sync import store
from backlint.sync.database import reading
from backlint.sync.pull import ahead, pull
from tests.sync.memory_tracker import MemoryTracker

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)


def some_issues(count: int) -> list[Issue]:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    return [an_issue(id=str(n), title=f"Issue {n}", updated_at=first + timedelta(hours=n)) for n in range(1, count + 1)]


def stored(engine: sa.Engine) -> dict[str, Issue]:
    with reading(engine) as connection:
        return {issue.id: issue for issue in store.load_issues(connection)}


def test_everything_of_an_issue_comes_back_from_the_store(engine: sa.Engine) -> None:
    at = datetime(2026, 3, 3, 12, 30, 15, 123456, tzinfo=UTC)
    sprint = Sprint(id="s1", name="Sprint 1", state="active", starts_at=at)
    issue = an_issue(
        aliases=("OLD-1",),
        body="Umlaute, 日本語, 🚀",
        labels=frozenset({"a", "b"}),
        assignees=("mia",),
        estimate=3.5,
        transitions=(a_transition(at, StatusCategory.TODO, StatusCategory.ACTIVE, actor="mia"),),
        comments=(a_comment("Looks fine", at),),
        links=(Link(LinkKind.BLOCKS, "2", at),),
        sprints=(SprintMembership(sprint=sprint, added_at=at),),
        fields={"outcome": "fewer tickets", "reach": 12.5},
    )
    tracker = MemoryTracker([issue])

    pull(engine, [tracker], now=NOW)

    (seen,) = stored(engine).values()
    assert seen.transitions[0].at == at
    assert (seen.aliases, seen.body, seen.labels, seen.estimate) == (issue.aliases, issue.body, issue.labels, 3.5)
    assert (seen.comments, seen.links, dict(seen.fields)) == (issue.comments, issue.links, dict(issue.fields))
    assert seen.sprints[0].added_at == at


def test_text_that_no_database_can_hold_is_stored_with_a_mark_in_its_place(engine: sa.Engine) -> None:
    pull(engine, [MemoryTracker([an_issue(title="broken \ud800 and \x00 here")])], now=NOW)

    assert stored(engine)["1"].title == "broken \ufffd and \ufffd here"


def test_a_second_pull_changes_nothing(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(7))
    pull(engine, [tracker], now=NOW)
    before = stored(engine)

    (result,) = pull(engine, [tracker], now=NOW + timedelta(hours=1))

    assert result.changed == 0
    assert stored(engine) == before


def test_an_incremental_pull_reads_only_what_changed(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(20))
    pull(engine, [tracker], now=NOW)
    tracker.edit("4", title="Renamed")

    (result,) = pull(engine, [tracker], now=NOW + timedelta(hours=1))

    assert result.changed == 1
    assert result.issues < 5
    assert stored(engine)["4"].title == "Renamed"


@pytest.mark.parametrize("pages", [0, 1, 2, 3])
def test_a_pull_that_broke_off_goes_on_behind_its_last_saved_page(engine: sa.Engine, pages: int) -> None:
    tracker = MemoryTracker(some_issues(12))
    tracker.down_after_pages = pages
    (broken,) = pull(engine, [tracker], now=NOW)
    assert not broken.complete
    with reading(engine) as connection:
        (state,) = store.scope_states(connection)
    assert not state.is_complete
    assert "no answer" in (state.problem or "")

    tracker.down_after_pages = None
    (result,) = pull(engine, [tracker], now=NOW)

    assert result.complete
    assert set(stored(engine)) == {str(n) for n in range(1, 13)}
    assert result.issues <= 12 - 3 * pages + 2  # the last saved one comes again, by the overlap of ties; at the end too


class ByCreation(MemoryTracker):
    """Its full pull goes by id, as trackers do that can page by creation; its cursor says when it began."""

    def pull(self, scope: str, cursor: str | None) -> Iterator[Page]:
        state = json.loads(cursor) if cursor else {"began": self._tick().isoformat(), "done": 0}
        if "done" not in state:
            yield from super().pull(scope, cursor)
            return
        rest = [issue for issue in self.issues.values() if int(issue.id) > state["done"]]
        for issue in rest:
            done = json.dumps({**state, "done": int(issue.id)})
            yield Page(issues=(Pulled(issue, b""),), cursor=done)
            if self.down_after_pages is not None:
                raise TrackerDown("demo: no answer in time")
        yield Page(issues=(), cursor=json.dumps({"since": state["began"]}), is_last=True)


def test_what_changed_while_a_pull_was_cut_off_is_seen_by_the_one_that_goes_on(engine: sa.Engine) -> None:
    tracker = ByCreation(some_issues(5))
    tracker.down_after_pages = 1
    pull(engine, [tracker], now=NOW)
    tracker.edit("1", title="Renamed meanwhile")
    tracker.down_after_pages = None

    (result,) = pull(engine, [tracker], now=NOW + timedelta(hours=1))

    assert result.complete
    assert stored(engine)["1"].title == "Renamed meanwhile"
    assert len(stored(engine)) == 5


def test_an_issue_that_comes_back_into_sight_unchanged_is_there_again(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(9))
    hidden = tracker.issues.pop("4")
    never_seen = tracker.issues.pop("5")
    tracker.issues["4"] = hidden
    pull(engine, [tracker], now=NOW)
    del tracker.issues["4"]
    pull(engine, [tracker], now=NOW + timedelta(hours=1))
    assert stored(engine)["4"].presence is Presence.DELETED

    tracker.issues |= {"4": hidden, "5": never_seen}
    (result,) = pull(engine, [tracker], now=NOW + timedelta(hours=2))

    assert result.changed == 2
    assert {id: stored(engine)[id].presence for id in ("4", "5")} == dict.fromkeys(("4", "5"), Presence.PRESENT)


def test_a_failing_source_does_not_stop_the_others(engine: sa.Engine) -> None:
    good, bad = MemoryTracker(some_issues(2), name="good"), MemoryTracker(name="bad")
    good.issues = {id: an_issue(source="good", id=id) for id in good.issues}
    bad.down = TokenRefused("bad: the tracker refused the token (401)", status=401)

    results = {result.source: result for result in pull(engine, [bad, good], now=NOW)}

    assert results["good"].complete
    assert results["good"].issues == 2
    assert results["bad"].problems == ["bad: the tracker refused the token (401)"]


def test_a_source_that_refuses_the_token_later_cannot_say(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(2))
    pull(engine, [tracker], now=NOW)
    tracker.down = TokenRefused("demo: the tracker refused the token (401)", status=401)

    pull(engine, [tracker], now=NOW + timedelta(days=1))

    with reading(engine) as connection:
        (state,) = store.scope_states(connection)
    assert not state.is_complete
    assert "401" in (state.problem or "")


def test_an_unreadable_issue_is_quarantined_with_its_place_and_the_rest_go_on(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(5))
    tracker.unreadable["3"] = "$.fields.summary"

    (result,) = pull(engine, [tracker], now=NOW)

    assert result.unreadable == 1
    assert set(stored(engine)) == {"1", "2", "4", "5"}
    with reading(engine) as connection:
        (row,) = store.quarantined(connection)
    assert (row["id"], row["issue"], row["path"], row["reason"]) == ("3", "DEMO-3", "$.fields.summary", "no title")


class WithBoard(MemoryTracker):
    """Its board closes sprints, which touches no issue."""

    board = Sprint(id="s1", name="Sprint 1", state="active", starts_at=NOW - timedelta(days=7))

    def reference(self) -> Reference:
        return replace(super().reference(), sprints=(self.board,))


def test_a_sprint_that_closes_without_touching_its_issues_is_closed_in_all_of_them(engine: sa.Engine) -> None:
    tracker = WithBoard([an_issue(sprints=(SprintMembership(sprint=WithBoard.board),))])
    pull(engine, [tracker], now=NOW)
    tracker.board = replace(tracker.board, state="closed", completed_at=NOW)

    (result,) = pull(engine, [tracker], now=NOW + timedelta(hours=1))

    assert result.changed == 0
    assert [(each.sprint.state, each.sprint.completed_at) for each in stored(engine)["1"].sprints] == [("closed", NOW)]


def test_what_could_not_be_read_is_fetched_again_only_when_it_or_the_mapping_changed(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(5))
    tracker.unreadable["3"] = "$.fields.summary"
    pull(engine, [tracker], now=NOW)
    tracker.edit("5", title="Something else")
    tracker.fetched.clear()

    pull(engine, [tracker], now=NOW)
    same_mapping = list(tracker.fetched)
    tracker.mapping = "2"
    del tracker.unreadable["3"]
    pull(engine, [tracker], now=NOW)

    assert same_mapping == []
    assert tracker.fetched == ["3"]
    assert stored(engine)["3"].title == "Issue 3"
    with reading(engine) as connection:
        assert store.quarantined(connection) == ()


def test_an_unreadable_issue_that_is_deleted_leaves_quarantine(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(5))
    tracker.unreadable["3"] = "$.fields.summary"
    pull(engine, [tracker], now=NOW)
    tracker.delete("3")

    pull(engine, [tracker], now=NOW)

    with reading(engine) as connection:
        assert store.quarantined(connection) == ()


def test_a_pull_of_everything_needs_no_census_to_find_what_is_gone(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(9))
    pull(engine, [tracker], now=NOW)
    tracker.delete("4")

    (result,) = pull(engine, [tracker], now=NOW, full=True)

    assert result.deleted == 1
    assert tracker.censuses == 0


def test_an_issue_leaves_quarantine_when_it_can_be_read_again(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(2))
    tracker.unreadable["1"] = "$.id"
    pull(engine, [tracker], now=NOW)
    del tracker.unreadable["1"]
    tracker.edit("1", title="Readable again")

    pull(engine, [tracker], now=NOW)

    with reading(engine) as connection:
        assert store.quarantined(connection) == ()
    assert "1" in stored(engine)


def test_the_census_marks_deleted_issues_and_keeps_them(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(6))
    pull(engine, [tracker], now=NOW)
    tracker.delete("2")

    (result,) = pull(engine, [tracker], now=NOW)

    assert result.deleted == 1
    assert stored(engine)["2"].presence is Presence.DELETED
    assert stored(engine)["3"].presence is Presence.PRESENT


def test_a_census_that_would_lose_too_much_changes_nothing_and_says_so(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(20))
    pull(engine, [tracker], now=NOW)
    for number in range(1, 11):
        tracker.delete(str(number))

    (result,) = pull(engine, [tracker], now=NOW)

    assert result.deleted == 0
    assert not result.complete
    assert "misses 10 of 20" in result.problems[0]
    assert {issue.presence for issue in stored(engine).values()} == {Presence.PRESENT}


def test_archived_issues_are_looked_at_once_and_stay_present(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(6))
    pull(engine, [tracker], now=NOW)
    tracker.archived = {"2", "3"}

    pull(engine, [tracker], now=NOW)
    pull(engine, [tracker], now=NOW)

    assert tracker.located == ["2", "3"]
    assert {id for id, issue in stored(engine).items() if issue.is_archived} == {"2", "3"}
    assert {issue.presence for issue in stored(engine).values()} == {Presence.PRESENT}


def test_a_large_archive_does_not_keep_deletions_from_being_seen(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(30))
    pull(engine, [tracker], now=NOW)
    tracker.archived = {str(number) for number in range(1, 16)}
    tracker.delete("30")

    (result,) = pull(engine, [tracker], now=NOW)

    assert (result.deleted, result.problems) == (1, [])
    assert sum(issue.is_archived for issue in stored(engine).values()) == 15


def test_an_issue_out_of_the_archive_is_as_the_tracker_has_it(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(6))
    pull(engine, [tracker], now=NOW)
    tracker.archived = {"2"}
    pull(engine, [tracker], now=NOW)
    tracker.archived = set()

    pull(engine, [tracker], now=NOW)

    assert not stored(engine)["2"].is_archived


def test_what_is_deleted_in_the_archive_is_seen_within_weeks(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(6))
    pull(engine, [tracker], now=NOW)
    tracker.archived = {"2"}
    pull(engine, [tracker], now=NOW)
    tracker.delete("2")

    (soon,) = pull(engine, [tracker], now=NOW + timedelta(days=1))
    (later,) = pull(engine, [tracker], now=NOW + timedelta(days=8))

    assert (soon.deleted, later.deleted) == (0, 1)


def test_a_restored_issue_is_present_again(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(6))
    pull(engine, [tracker], now=NOW)
    gone = tracker.issues["2"]
    tracker.delete("2")
    pull(engine, [tracker], now=NOW)
    tracker.add(gone)

    pull(engine, [tracker], now=NOW)

    assert stored(engine)["2"].presence is Presence.PRESENT


def test_a_former_key_is_kept_even_when_the_tracker_forgets_it(engine: sa.Engine) -> None:
    tracker = MemoryTracker([an_issue(aliases=("OLD-7",))])
    pull(engine, [tracker], now=NOW)
    tracker.edit("1", aliases=(), key="NEW-1")

    pull(engine, [tracker], now=NOW)

    assert stored(engine)["1"].aliases == ("OLD-7",)


def test_a_full_pull_ends_in_the_same_store_as_many_small_ones(engine: sa.Engine) -> None:
    tracker = MemoryTracker(some_issues(9))
    pull(engine, [tracker], now=NOW)
    for number in (2, 5, 9):
        tracker.edit(str(number), title=f"Renamed {number}", labels=frozenset({"x"}))
        pull(engine, [tracker], now=NOW)
    small = stored(engine)

    pull(engine, [tracker], now=NOW, full=True)

    assert stored(engine) == small


def test_an_error_while_reading_ahead_rises_where_it_happened() -> None:
    def two_then_down() -> Iterator[int]:
        yield 1
        yield 2
        raise TrackerDown("down")

    reader = ahead(two_then_down(), depth=2)

    assert [next(reader), next(reader)] == [1, 2]
    with pytest.raises(TrackerDown):
        next(reader)


def test_reading_ahead_stops_when_the_reader_does() -> None:
    made = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            made.append(number)
            yield number
            number += 1

    reader = ahead(endless(), depth=2)
    assert next(reader) == 0
    reader.close()

    assert len(made) <= 5


def test_a_page_that_was_overtaken_by_a_single_read_changes_nothing(engine: sa.Engine) -> None:
    began, edited_at = NOW, NOW + timedelta(minutes=2)
    before = an_issue(id="1", title="As the page has it", updated_at=NOW - timedelta(days=1))
    after = an_issue(id="1", title="As it is now", updated_at=edited_at)
    with engine.begin() as connection:
        store.save_issues(connection, "demo", "DEMO", [Pulled(before, b"{}")], now=began - timedelta(hours=1))
        store.save_issues(connection, "demo", "DEMO", [Pulled(after, b"{}")], now=edited_at)

        late = store.save_issues(connection, "demo", "DEMO", [Pulled(before, b"{}")], now=began)
        (held,) = store.load_issues(connection)
        turned_back = store.save_issues(connection, "demo", "DEMO", [Pulled(before, b"{}")], now=edited_at)

    assert (late.changed, held.title) == (0, "As it is now")
    assert turned_back.changed == 1  # a later pull is believed, whatever the tracker's clock says
