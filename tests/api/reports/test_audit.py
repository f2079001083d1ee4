from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from backlint.api.reports import Answer, build_audit, to_csv, to_html, to_json, to_markdown
from backlint.api.reports.audit import ScoredGroup
from tests.api.reports.backlog import BROKEN, GOOD, NOW, an_audit, an_empty_audit, the_findings


def test_findings_of_a_source_that_could_not_be_read_are_left_out():
    report = an_audit()

    assert {finding.source for finding in report.findings} == {"acme"}
    assert "oss: cannot say." in to_html(report)


def test_the_ten_with_most_to_recover_stand_first_by_owner():
    report = an_audit()

    assert [(owner, [each.points for each in found]) for owner, found in report.first] == [
        ("Ana", [20, 4]),
        ("Ben", [20]),
        ("without an owner", [16]),
    ]


def test_at_most_ten_stand_first():
    many = [replace(the_findings()[0], issue=f"PAY-{n}") for n in range(30)]
    report = an_audit(findings=many)

    assert sum(len(found) for _, found in report.first) == 10


def test_waived_and_baselined_findings_are_counted_and_not_open():
    report = an_audit()

    assert len(report.open_findings) == 5
    assert [(rule.rule, rule.open, rule.waived, rule.baselined) for rule in report.rules if not rule.open] == [
        ("TXT003", 0, 1, 0)
    ]


def test_findings_about_teams_are_apart():
    (finding,) = an_audit().about_scopes

    assert (finding.rule, finding.about) == ("FLO003", "Team Payments")


def test_counts_come_from_the_findings_when_nobody_gives_them():
    report = build_audit(scope="x", as_of=NOW, rules_version="1", checked=3, findings=the_findings())

    assert (report.counts.new, report.counts.still_open, report.counts.waived, report.counts.baselined) == (2, 4, 1, 1)


def test_few_items_have_no_trend():
    assert ScoredGroup(name="x", score=70, band="C", count=4, previous=60, has_few_items=True).change is None
    assert ScoredGroup(name="x", score=70, band="C", count=40, previous=60).change == 10


def test_scores_of_different_rules_are_not_compared():
    report = an_audit(previous_rules_version="2025.9")

    assert not report.is_comparable
    assert "The rules changed since the last audit" in to_html(report)
    assert "The rules changed since the last audit" in to_markdown(report)


# -- the three ways of having no findings --------------------------------------------------------------------------


def test_nothing_wrong():
    report = build_audit(scope="x", as_of=NOW, rules_version="1", health=[GOOD], checked=214)

    assert report.answer is Answer.NOTHING_WRONG
    for text in (to_html(report), to_markdown(report)):
        assert "0 open findings on 214 issues" in text


def test_nothing_to_measure():
    report = build_audit(scope="x", as_of=NOW, rules_version="1", health=[GOOD], checked=0)

    assert report.answer is Answer.NOTHING_TO_MEASURE
    for text in (to_html(report), to_markdown(report)):
        assert "Nothing to measure: no issue of this scope is open." in text


def test_cannot_say():
    report = build_audit(
        scope="x", as_of=NOW, rules_version="1", health=[BROKEN], checked=80, findings=the_findings()
    )  # fmt: skip

    assert report.answer is Answer.CANNOT_SAY
    for text in (to_html(report), to_markdown(report)):
        assert "Cannot say: what this is about could not be read to the end." in text
        assert "its 80 issues are not judged" in text
        assert "AC001" not in text


def test_the_first_run_says_that_nothing_was_written():
    for text in (to_html(an_empty_audit()), to_markdown(an_empty_audit())):
        assert "First run: baseline recorded, nothing written." in text


# -- formats -------------------------------------------------------------------------------------------------------


def test_what_was_held_back_says_why():
    report = an_audit()

    assert [each.why for each in report.held_back] == ["quiet hours until 08:00"]
    for text in (to_html(report), to_markdown(report), to_json(report)):
        assert "quiet hours until 08:00" in text


def test_silent_rules_say_what_they_would_find():
    facts = json.loads(to_json(an_audit()))

    assert facts["silent"] == [{"rule": "REV001", "name": "missing-review-date", "would_find": 34}]
    assert "would find" in to_markdown(an_audit())


def test_the_csv_has_every_finding():
    rows = list(csv.DictReader(io.StringIO(to_csv(an_audit()))))

    assert len(rows) == 7
    assert rows[0]["rule"] == "AC001"
    assert {row["waived"] for row in rows} == {"True", "False"}


def test_the_page_is_one_file_that_fetches_nothing():
    page = to_html(an_audit())

    for forbidden in ("<script", "<link", "<img", "@import", "url(", "src=", "javascript:"):
        assert forbidden not in page


def test_foreign_texts_stay_texts():
    nasty = replace(the_findings()[0], title="<script>x</script>", message="a|b", url="javascript:x", owner="<b>")
    report = an_audit(findings=[nasty])

    assert "<script" not in to_html(report)
    assert "javascript:" not in to_html(report)
    assert "a\\|b" in to_markdown(report)


def test_the_order_does_not_depend_on_that_of_the_findings():
    assert to_json(an_audit()) == to_json(an_audit(findings=the_findings()[::-1]))
