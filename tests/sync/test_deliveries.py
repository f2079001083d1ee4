"""Deliveries in the store: kept once, one row for an issue, one job at a time, nothing lost; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from backlint.settings import Settings
from backlint.sync import deliveries as d
from backlint.sync import store, writes
from backlint.sync import tables as t
from backlint.sync.apply import BUSY, apply
from backlint.sync.audit import audit
from backlint.sync.check import check_store
from backlint.sync.deliveries import Delivery, Touched
from backlint.sync.plan import Change, ChangeKind
from backlint.sync.pull import pull
from backlint.sync.tickets import Done, Failed, Later, look_at
from tests.factory import an_issue
from tests.sync.memory_tracker import OWN, MemoryTracker

NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
SETTLE = timedelta(minutes=15)
SETTINGS = Settings.model_validate(
    {"write_back": {"mode": "labels+comment", "quiet_hours": "off", "settle_minutes": 0, "abort_share": 1.0}}
)


def a_delivery(id: str, *issues: str, at: datetime = NOW, **more: Any) -> Delivery:
    return Delivery(source="demo", id=id, event="edited", issues=issues, received_at=at, **more)


def fold(engine: sa.Engine, *given: Delivery, now: datetime = NOW) -> None:
    with engine.begin() as connection:
        d.keep(connection, given)
        while d.fold(connection, now=now, settle=SETTLE, limit=10):
            pass


def touched(engine: sa.Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        return {row.issue: row for row in connection.execute(sa.select(t.touched))}


def take(engine: sa.Engine, job: str, *, now: datetime = NOW + SETTLE, limit: int = 50) -> tuple[Touched, ...]:
    with engine.begin() as connection:
        return d.take(connection, job, "demo", now=now, limit=limit)


def test_a_repeat_is_recognised_in_one_transaction_and_in_a_later_one(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        assert d.keep(connection, [a_delivery("1", "a"), a_delivery("1", "a"), a_delivery("2", "a")]) == {
            ("demo", "1"), ("demo", "2"),
        }  # fmt: skip
        assert d.keep(connection, [a_delivery("1", "a"), a_delivery("3", "a")]) == {("demo", "3")}


def test_many_deliveries_of_an_issue_are_one_row_that_is_due_after_the_last(engine: sa.Engine) -> None:
    last = NOW + timedelta(minutes=7)
    given = [a_delivery(str(n), "a", at=NOW + timedelta(seconds=n)) for n in range(49)]

    fold(engine, a_delivery("last", "a", "b", at=last), *given)

    rows = touched(engine)
    assert rows.keys() == {"a", "b"}
    assert (rows["a"].deliveries, rows["a"].first_at, rows["a"].due_at) == (50, NOW, last + SETTLE)
    assert take(engine, "job", now=last) == ()
    assert [each.issue for each in take(engine, "job", now=last + SETTLE)] == ["a", "b"]


def test_what_a_job_has_taken_no_other_gets_and_it_gets_it_again(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"), a_delivery("2", "b"))

    mine = take(engine, "one", limit=1)

    assert [each.issue for each in take(engine, "other")] == ["b"]
    assert take(engine, "one") == mine
    assert take(engine, "third") == ()


def test_a_delivery_that_comes_while_its_issue_is_looked_at_is_looked_at_afterwards(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"))
    (mine,) = take(engine, "job")
    later = NOW + timedelta(minutes=20)
    fold(engine, a_delivery("2", "a", at=later), now=later)
    assert take(engine, "other", now=later + SETTLE) == ()

    with engine.begin() as connection:
        d.done(connection, mine, job="job")

    assert take(engine, "other", now=later) == ()
    assert [each.issue for each in take(engine, "other", now=later + SETTLE)] == ["a"]


def test_what_is_done_is_gone(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"))
    (mine,) = take(engine, "job")

    with engine.begin() as connection:
        d.done(connection, mine, job="job")

    assert touched(engine) == {}


def test_one_that_failed_comes_alone_and_after_its_last_try_it_is_a_dead_letter(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"), a_delivery("2", "b"))
    for each in take(engine, "job"):
        with engine.begin() as connection:
            d.fail(connection, each, job="job", reason="refused", again_at=NOW)
    (alone,) = take(engine, "again")
    with engine.begin() as connection:
        d.fail(connection, alone, job="again", reason="refused again", again_at=None)
        letters = d.dead_letters(connection)

    assert [(each.issue, each.attempts, each.reason) for each in letters] == [(alone.issue, 2, "refused again")]
    assert [each.issue for each in take(engine, "next")] == [issue for issue in "ab" if issue != alone.issue]
    fold(engine, a_delivery("3", alone.issue))
    assert touched(engine)[alone.issue].state == d.WAITING


def test_our_own_writes_are_no_news_and_the_same_account_elsewhere_is(engine: sa.Engine) -> None:
    tracker = MemoryTracker([an_issue(id="a", key="DEMO-1"), an_issue(id="b", key="DEMO-2")])
    pull(engine, [tracker], now=NOW)
    change = Change(
        source="demo", issue="a", key="DEMO-1", kind=ChangeKind.ADD_LABEL, because=("X",), label="hygiene:x"
    )
    apply(engine, [change], {"demo": tracker}, run="run", clock=lambda: NOW)

    fold(engine, a_delivery("1", "a", actor=OWN), a_delivery("2", "b", actor=OWN), a_delivery("3", "a", actor="mia"))

    with engine.connect() as connection:
        outcomes = {row.id: row.outcome for row in connection.execute(sa.select(t.deliveries))}
    assert outcomes == {"1": d.OWN_WRITE, "2": d.NOTED, "3": d.NOTED}
    assert touched(engine)["a"].deliveries == 1


def test_issues_of_a_job_that_ended_badly_are_free_again(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"), a_delivery("2", "b"))
    take(engine, "ended", limit=1)
    take(engine, "alive", limit=1)

    with engine.begin() as connection:
        freed = d.free_lost(
            connection, before=NOW + timedelta(hours=1), is_over=lambda job, _at: job == "ended", attempts=5
        )

    assert freed == [("demo", "a")]
    assert (touched(engine)["a"].state, touched(engine)["b"].state) == (d.WAITING, d.TAKEN)


def test_a_run_keeps_off_what_a_webhook_is_at_and_the_other_way_round(engine: sa.Engine) -> None:
    hold = d.holding(engine, "audit-1", clock=lambda: NOW)
    fold(engine, a_delivery("1", "a"))

    with hold(("demo", "a")) as is_free:
        assert not is_free
    with hold(("demo", "b")) as is_free:
        assert is_free
        fold(engine, a_delivery("2", "b"))
        assert [each.issue for each in take(engine, "job")] == ["a"]
    with hold(("demo", "c")) as is_free:
        assert is_free

    assert touched(engine).keys() == {"a", "b"}
    assert [each.issue for each in take(engine, "other")] == ["b"]


# -- looking at them ---------------------------------------------------------------------------------------------------


def looked_at(
    engine: sa.Engine,
    tracker: MemoryTracker,
    *issues: str,
    now: datetime = NOW,
    settings: Settings = SETTINGS,
) -> dict[str, Any]:
    fold(engine, *(a_delivery(f"{now}-{id}", id, at=now) for id in issues), now=now)
    mine = take(engine, f"job-{now}", now=now + SETTLE)
    run = f"webhook-{now}"
    with engine.begin() as connection:
        store.begin_run(connection, run, "webhook", now=now)
    looked = look_at(engine, settings, tracker, mine, run=run, clock=lambda: now + SETTLE)
    with engine.begin() as connection:
        for each in mine:
            d.done(connection, each, job=f"job-{now}")
    return {id: outcome for (_, id), outcome in looked.outcomes.items()}


def a_checked_tracker(engine: sa.Engine) -> MemoryTracker:
    tracker = MemoryTracker([an_issue(id="old", key="DEMO-1", body="")])
    pull(engine, [tracker], now=NOW - timedelta(hours=1))
    check_store(engine, SETTINGS, run="check-1", now=NOW - timedelta(hours=1))
    return tracker


def test_a_new_ticket_gets_its_comment_and_the_others_stay_as_they_are(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(an_issue(id="new", key="DEMO-2", body="", created_at=NOW - timedelta(minutes=1)))

    assert looked_at(engine, tracker, "new") == {"new": Done()}

    assert len(tracker.own_comments("new")) == 1
    assert tracker.own_comments("old") == []
    again = looked_at(engine, tracker, "new", now=NOW + timedelta(hours=1))
    assert again == {"new": Done()}
    assert len(tracker.own_comments("new")) == 1


def a_new_ticket(id: str = "new", number: int = 2, *, at: datetime = NOW) -> Any:
    return an_issue(id=id, key=f"DEMO-{number}", body="", created_at=at - timedelta(minutes=1))


def nightly(engine: sa.Engine, tracker: MemoryTracker, *, now: datetime, holder: str | None = None) -> Any:
    return audit(engine, SETTINGS, [tracker], clock=lambda: now, holder=holder)


def test_the_nightly_audit_says_of_a_new_ticket_what_its_webhook_said(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(a_new_ticket())
    looked_at(engine, tracker, "new")
    said = tracker.issues["new"].labels, [each.body for each in tracker.own_comments("new")]
    assert said[0]

    for days in (0.5, 2, 4, 30):  # a far ticket: after three days its findings inform only, and are still open
        assert nightly(engine, tracker, now=NOW + timedelta(days=days)).applied is None

    assert (tracker.issues["new"].labels, [each.body for each in tracker.own_comments("new")]) == said


def test_a_new_ticket_whose_webhook_was_lost_is_asked_by_the_audit(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(a_new_ticket())

    nightly(engine, tracker, now=NOW + timedelta(hours=1))

    assert len(tracker.own_comments("new")) == 1
    assert tracker.own_comments("old") == []


def test_what_an_audit_leaves_to_a_webhook_is_done_by_its_job(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(a_new_ticket())
    fold(engine, a_delivery("1", "new"))

    beside = nightly(engine, tracker, now=NOW + timedelta(minutes=5), holder="audit-job")

    assert {(change.issue, why) for change, why in beside.applied.held_back} == {("new", BUSY)}
    assert tracker.writes == []
    (mine,) = take(engine, "job")
    looked = look_at(engine, SETTINGS, tracker, [mine], run="webhook-1", clock=lambda: NOW + SETTLE)
    assert looked.outcomes == {("demo", "new"): Done()}
    assert len(tracker.own_comments("new")) == 1


def test_an_audit_does_what_was_put_off_and_a_killed_one_gives_back_what_it_held(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(a_new_ticket())
    fold(engine, a_delivery("1", "new"))
    (mine,) = take(engine, "job")
    with engine.begin() as connection:
        d.postpone(connection, mine, job="job", until=NOW + timedelta(hours=9), reason="a cap")

    with d.holding(engine, "audit-job", clock=lambda: NOW)(("demo", "new")) as is_free:
        assert is_free
        assert touched(engine)["new"].state == d.TAKEN
        with engine.begin() as connection:  # the same run again, after it was killed here
            assert d.taken_by_others(connection, "audit-job") == set()
    assert (touched(engine)["new"].state, touched(engine)["new"].due_at) == (d.WAITING, NOW + timedelta(hours=9))

    nightly(engine, tracker, now=NOW + timedelta(hours=1), holder="audit-job")
    assert len(tracker.own_comments("new")) == 1


def test_a_bulk_edit_stays_within_the_caps_of_a_day_and_goes_on_after_midnight(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    names = [f"n{number}" for number in range(6)]
    for number, name in enumerate(names):
        tracker.add(a_new_ticket(name, number + 10))
    tight = Settings.model_validate({"write_back": SETTINGS.write_back.model_dump() | {"max_comments": 3}})

    outcomes: dict[str, Any] = {}
    for number, name in enumerate(names):  # each in a job of its own
        outcomes |= looked_at(engine, tracker, name, now=NOW + timedelta(minutes=number), settings=tight)

    midnight = datetime(2026, 3, 12, tzinfo=UTC)
    put_off = {name: outcome.until for name, outcome in outcomes.items() if isinstance(outcome, Later)}
    assert sum(len(tracker.own_comments(name)) for name in names) == 3
    assert set(put_off.values()) == {midnight}
    assert len(put_off) == 3
    looked_at(engine, tracker, *put_off, now=midnight, settings=tight)
    assert [len(tracker.own_comments(name)) for name in names] == [1] * 6


def test_what_was_put_off_is_looked_at_anew_when_its_issue_changes(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"))
    (mine,) = take(engine, "job")
    with engine.begin() as connection:
        d.postpone(connection, mine, job="job", until=NOW + timedelta(hours=9), reason="quiet hours")

    later = NOW + timedelta(hours=1)
    fold(engine, a_delivery("2", "a", at=later), now=later)

    assert touched(engine)["a"].due_at == later + SETTLE


def test_while_a_tracker_is_away_nothing_of_its_source_is_due(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a", "b"), Delivery(source="else", id="1", event="e", issues=("c",), received_at=NOW))
    back = NOW + timedelta(hours=1)

    with engine.begin() as connection:
        assert d.postpone_source(connection, "demo", until=back) == 2

    with engine.connect() as connection:
        assert d.due_sources(connection, now=NOW + SETTLE) == ("else",)
        assert d.due_sources(connection, now=back) == ("demo", "else")


def test_before_the_first_audit_of_a_source_its_webhooks_wait(engine: sa.Engine) -> None:
    tracker = MemoryTracker([an_issue(id="a", key="DEMO-1", body="")])

    (outcome,) = looked_at(engine, tracker, "a").values()

    assert isinstance(outcome, Later)
    assert tracker.writes == []


def test_while_the_tracker_is_down_no_try_is_counted(engine: sa.Engine) -> None:
    from backlint.errors import TrackerDown

    tracker = a_checked_tracker(engine)
    tracker.down = TrackerDown("no answer", retry_after=timedelta(minutes=3))

    assert looked_at(engine, tracker, "old") == {"old": Later(NOW + SETTLE + timedelta(minutes=3), "no answer")}


def test_a_tracker_that_goes_away_while_it_is_written_to_costs_no_try(engine: sa.Engine) -> None:
    from backlint.errors import TrackerDown
    from backlint.model import Issue

    class Mute(MemoryTracker):
        def add_label(self, issue: Issue, label: str) -> None:
            raise TrackerDown("no answer in time")

    tracker = a_checked_tracker(engine)
    mute = Mute([*tracker.issues.values(), a_new_ticket()])

    (outcome,) = looked_at(engine, mute, "new").values()

    assert outcome == Later(NOW + SETTLE + timedelta(seconds=30), "no answer in time")
    looked_at(engine, MemoryTracker(list(mute.issues.values())), "new", now=NOW + timedelta(hours=1))
    with engine.connect() as connection:
        states = set(connection.execute(sa.select(t.writes.c.kind, t.writes.c.state)))
    assert ("add_label", writes.CONFIRMED) in states
    assert ("add_label", writes.FAILED) not in states


def test_an_issue_that_cannot_be_read_fails_alone(engine: sa.Engine) -> None:
    from backlint.errors import RequestRefused
    from backlint.model import Issue

    class Picky(MemoryTracker):
        def read(self, issue: Issue) -> Issue:
            if issue.id == "poison":
                raise RequestRefused("the tracker refuses it", status=400)
            return super().read(issue)

    tracker = a_checked_tracker(engine)
    tracker = Picky(list(tracker.issues.values()))
    tracker.add(an_issue(id="good", key="DEMO-3", body="", created_at=NOW - timedelta(minutes=1)))

    outcomes = looked_at(engine, tracker, "poison", "good")

    assert outcomes == {"poison": Failed("the tracker refuses it"), "good": Done()}
    assert len(tracker.own_comments("good")) == 1


def test_an_issue_of_no_configured_scope_is_not_kept(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(an_issue(id="foreign", key="ELSE-1", created_at=NOW - timedelta(minutes=1)))

    assert looked_at(engine, tracker, "foreign") == {"foreign": Done("outside the configured scopes")}
    with engine.connect() as connection:
        assert {issue.id for issue in store.load_issues(connection)} == {"old"}


def test_a_lost_answer_is_settled_by_the_next_look_without_a_second_comment(engine: sa.Engine) -> None:
    tracker = a_checked_tracker(engine)
    tracker.add(an_issue(id="new", key="DEMO-2", body="", created_at=NOW - timedelta(minutes=1)))
    looked_at(engine, tracker, "new")
    with engine.begin() as connection:  # as if the process had died before it could record the answers
        connection.execute(sa.update(t.writes).values(state=writes.SENT, settled_at=None, comment=None, digest=None))

    looked_at(engine, tracker, "new", now=NOW + timedelta(hours=1))

    assert len(tracker.own_comments("new")) == 1
    with engine.connect() as connection:
        assert set(connection.execute(sa.select(t.writes.c.state)).scalars()) == {writes.CONFIRMED}


def test_a_source_is_silent_when_issues_change_and_no_webhook_tells_of_it(engine: sa.Engine) -> None:
    heard, late = NOW - timedelta(hours=5), NOW - timedelta(minutes=5)
    changed = [an_issue(id=str(n), updated_at=heard + timedelta(hours=1)) for n in range(d.SILENT_FROM)]
    told = [an_issue(id="t", updated_at=heard + timedelta(minutes=1)), an_issue(id="u", updated_at=late)]
    pull(engine, [MemoryTracker([*changed, *told])], now=NOW)

    with engine.connect() as connection:
        assert d.unannounced(connection, now=NOW) == {}  # it has never sent anything
    fold(engine, a_delivery("1", "t", at=heard), now=heard)
    with engine.connect() as connection:
        assert d.unannounced(connection, now=NOW) == {"demo": d.SILENT_FROM}
    fold(engine, a_delivery("2", "t"))
    with engine.connect() as connection:
        assert d.unannounced(connection, now=NOW) == {"demo": 0}


def test_the_last_webhook_of_a_source_is_never_forgotten(engine: sa.Engine) -> None:
    fold(engine, a_delivery("1", "a"), a_delivery("2", "a", at=NOW + timedelta(seconds=1)))
    with engine.begin() as connection:
        d.forget(connection, before=NOW + timedelta(days=60))
        assert d.last_received(connection) == {"demo": NOW + timedelta(seconds=1)}
        assert connection.execute(sa.select(sa.func.count()).select_from(t.deliveries)).scalar() == 1
