"""What a digest tells, and when it waits."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from backlint.digest import Told, digest, quiet_until
from backlint.model import Severity

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = (time(18), time(8))


def told(fingerprint: str, **how: object) -> Told:
    facts = {"issue": "PAY-12", "title": "Pay by card", "rule": "AC001", "severity": Severity.WARNING,
             "message": "no acceptance criteria", "url": "https://x.test/PAY-12"}  # fmt: skip
    return Told(fingerprint=fingerprint, **{**facts, **how})


def test_only_what_changed_is_told():
    found = digest(
        "Payments", [told("a"), told("b", issue="PAY-13")], {"a", "c"}, [(told("c", issue="PAY-9"), "fixed")]
    )

    assert [each.fingerprint for each in found.new] == ["b"]
    assert found.title == "Payments: 1 new, 1 fixed"
    assert found.text == (
        "New (1)\n• PAY-13 Pay by card\n  no acceptance criteria\n  https://x.test/PAY-12\n\n"
        "Fixed (1)\n• PAY-9 Pay by card\n  AC001\n\n2 open in all."
    )


def test_nothing_changed_is_an_empty_digest():
    assert digest("Payments", [told("a")], {"a"}, []).is_empty
    assert digest("Payments", [told("a")], {"a", "b"}, [(told("b"), "baseline")]).is_empty


def test_long_parts_are_cut_with_what_is_left_out():
    many = [told(str(number), issue=f"PAY-{number}", title="x" * 200) for number in range(30)]
    text = digest("Payments", many, set(), []).text

    assert "… and 22 more (AC001 22)" in text
    assert max(len(line) for line in text.splitlines()) < 80


def test_the_worst_comes_first():
    found = digest("Payments", [told("a"), told("b", severity=Severity.ERROR, issue="PAY-99")], set(), [])

    assert [each.fingerprint for each in found.new] == ["b", "a"]


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-03-02T17:59", None),
        ("2026-03-02T18:00", "2026-03-03T08:00"),
        ("2026-03-03T07:59", "2026-03-03T08:00"),
        ("2026-03-03T08:00", None),
        ("2026-03-28T22:00", "2026-03-29T08:00"),  # summer time begins in that night
    ],
)
def test_quiet_hours_pass_midnight_and_summer_time(local, until):
    now = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    found = quiet_until(now, EVENING, BERLIN)

    assert (found and found.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M")) == until
    assert quiet_until(now, None, BERLIN) is None
