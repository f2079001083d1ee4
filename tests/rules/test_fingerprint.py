"""What a finding is stays the same whatever its words, its place, its key or its severity."""

from __future__ import annotations

from msgspec import structs

from backlint.examples import an_issue
from backlint.model import Issue, Judgement, Severity, StatusCategory, Verdict
from backlint.rules.engine import fingerprint, judge
from backlint.rules.registry import all_rules, find
from backlint.rules.rule import Context, Example, example_context
from backlint.text.cache import TextCache

FINDING = Judgement(rule="AC001", source="demo", issue="10001", verdict=Verdict.FAIL, message="No criteria.")


def of(issue: Issue, code: str = "OWN001") -> set[str]:
    """The fingerprints of a rule's findings on the issue."""
    context: Context = example_context(Example("one", issue), TextCache(learn_from=(issue,)))
    verdicts = judge(issue, [find(code)()], context)
    return {fingerprint(each) for each in verdicts if each.verdict is Verdict.FAIL}


def test_a_moved_renamed_edited_issue_keeps_its_findings() -> None:
    issue = an_issue(id="10001", key="PAY-12", project="PAY", category=StatusCategory.ACTIVE, body="The export.")
    before = of(issue)
    moved = an_issue(
        id="10001",
        key="WEB-3",
        aliases=("PAY-12",),
        url="https://example.com/WEB-3",
        project="WEB",
        team="Web",
        category=StatusCategory.ACTIVE,
        title="Another title",
        body="Another text about something else.",
        labels=frozenset({"new"}),
        priority=1,
    )

    assert len(before) == 1
    assert of(moved) == before


def test_words_severity_evidence_and_confidence_are_no_part_of_it() -> None:
    other = structs.replace(
        FINDING, message="Said otherwise.", question="Why?", severity=Severity.ERROR, confidence=0.5, reason="x"
    )

    assert fingerprint(other) == fingerprint(FINDING)


def test_rule_source_issue_and_discriminator_each_make_another_finding() -> None:
    others = [
        structs.replace(FINDING, rule="AC002"),
        structs.replace(FINDING, source="other"),
        structs.replace(FINDING, issue="10002"),
        structs.replace(FINDING, discriminator="sprint 4"),
    ]

    assert len({fingerprint(each) for each in (FINDING, *others)}) == 5


def test_parts_cannot_run_into_each_other() -> None:
    first = structs.replace(FINDING, source="a", issue="bc")
    second = structs.replace(FINDING, source="ab", issue="c")

    assert fingerprint(first) != fingerprint(second)


def test_no_rule_names_the_key_of_its_issue_in_the_discriminator() -> None:
    """A key changes when an issue moves: its finding would be taken for another."""
    for rule in all_rules():
        for example in rule.flagged:
            context = example_context(example, TextCache(learn_from=(example.issue, *example.others)))
            for verdict in judge(example.issue, [rule(example.options)], context):
                assert verdict.discriminator != example.issue.key, rule.code
