"""The managed comment, as its receiver reads it."""

from __future__ import annotations

from pathlib import Path

from backlint.examples import a_comment
from backlint.model import Judgement, Severity, Verdict
from backlint.sync import comment as managed

GOLDEN = Path(__file__).parent / "golden"


def question(rule: str, message: str, asks: str) -> Judgement:
    return Judgement(
        rule=rule,
        source="demo",
        issue="1",
        verdict=Verdict.FAIL,
        severity=Severity.ERROR,
        message=message,
        question=asks,
    )


def test_the_comment_reads_as_accepted() -> None:
    body = managed.render(
        [
            question("AC001", "No acceptance criteria found.", "What must be observably true for you to accept this?"),
            question("OWN001", "In progress with nobody assigned.", "Who makes the final call here?"),
        ],
        skip_label="hygiene:skip",
        explain_url="https://lint.example/rules/{code}",
    )

    assert body + "\n" == (GOLDEN / "comment.md").read_text(encoding="utf-8")


def test_no_questions_make_one_line() -> None:
    assert managed.render([], skip_label="hygiene:skip") == managed.NOTHING_LEFT


def test_a_digest_ignores_what_trackers_do_to_white_space_and_notices_words() -> None:
    written = a_comment("One question:\n\n- Who?")

    assert managed.digest(written) == managed.digest(a_comment("One question:\n\n- Who? \n"))
    assert managed.digest(written) != managed.digest(a_comment("One question:\n\n- Whom?"))
