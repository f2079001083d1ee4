"""SEC001: a credential stands in an issue, where everybody who can read it can use it."""

from __future__ import annotations

from collections.abc import Iterator

from backlint.examples import a_comment, an_issue
from backlint.model import Issue, IssueType, Judgement, Severity, StatusCategory
from backlint.rules.rule import EVERY_TYPE, Context, Example, Rule
from backlint.rules.secret_text import find_secrets
from backlint.rules.sensitive_places import place_name, sensitive

# Made up when this file is read, so that no scanner takes the file itself for a leak.
LETTERS = "q7Wz2Rk9Vb4Xn8Tc3Lm6Jp1Hs5Gd0Fy"
SOURCE_HOST = "gh" + "p_" + LETTERS + "aB3dE"
PRIVATE_KEY = "```\n-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow\n```\n"
CLOUD_KEY = "AK" + "IAQ7WZ2RK5VB4XN6TC"
DOCUMENTED = "AK" + "IAIOSFODNN7EXAMPLE"
SIGNED = "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiI0MiIsInIiOjF9." + LETTERS
IMAGE = f'<img src="data:image/png;base64,iVBORw0KGgo/+{CLOUD_KEY}/+{CLOUD_KEY}">'


class SecretInText(Rule):
    """A credential seems to be in the text.

    Why it matters: trackers are read by many, mailed around and kept for ever; a key in an issue is a key in public.

    How to fix: rotate it first, then edit the text; the history keeps the old one.

    Severity: names with a value that looks random are only information; so are test keys.

    Not flagged: documented example keys; masked values and variables ("${TOKEN}"); commit hashes and UUIDs; images in
    base64. It looks at all states and everywhere: titles, code, quotes, comments, fields. Nothing of the value is ever
    kept or shown: only its kind, its place, and, where `hash_key` is set, a keyed hash. The finding is for the
    project's administrators: it is in no comment, label or score.
    """

    code = "SEC001"
    name = "secret-in-text"
    severity = Severity.CRITICAL
    on_create = True
    judges_closed = True
    private = True

    types: frozenset[IssueType] = EVERY_TYPE
    hash_key: str = (
        ""  # secret of this installation, by which the same value is known again; without it places are counted
    )

    def check(self, issue: Issue, context: Context) -> Iterator[Judgement]:
        for found, field, evidence, discriminator in sensitive(issue, find_secrets, self.hash_key):
            yield self.fail(
                issue,
                context,
                f"A credential ({found.kind}) seems to be in {place_name(field)}. "
                "Rotate it first, then edit; history keeps it.",
                evidence=[evidence],
                severity=None if found.is_certain else Severity.INFO,
                confidence=0.9 if found.is_certain else 0.5,
                discriminator=discriminator,
            )

    flagged = (
        Example("a private key in a fence", an_issue(body=PRIVATE_KEY), severity=Severity.CRITICAL),
        Example("a token in a quote", an_issue(body=f"> curl -H 'Authorization: {SOURCE_HOST}'")),
        Example(
            "in a comment of a closed issue", an_issue(category=StatusCategory.DONE, comments=(a_comment(CLOUD_KEY),))
        ),
        Example("in the title", an_issue(title=f"Login with {CLOUD_KEY} fails")),
        Example("a signed token", an_issue(body=f"The cookie was {SIGNED} when it failed.")),
        Example("a password in a URL", an_issue(body="postgres://billing:" + "v7Kq-92xLp" + "@db.acme.io/billing")),
        Example("a name with a random value", an_issue(body="api_key = " + LETTERS), severity=Severity.INFO),
        Example("in a cancelled issue", an_issue(category=StatusCategory.CANCELLED, body=CLOUD_KEY)),
    )
    passed = (
        Example("a documented example", an_issue(body=f"aws_access_key_id = {DOCUMENTED}")),
        Example(
            "a variable", an_issue(body="Authorization: Bearer ${TOKEN}, api_key = ${BILLING_API_KEY_OF_PRODUCTION}")
        ),
        Example("masked", an_issue(body="token = gh" + "p_" + "x" * 36 + ", password = ********************")),
        Example("a commit hash", an_issue(body="Since 3f2a9c1d4b5e6f708192a3b4c5d6e7f801234567 it fails.")),
        Example("a UUID", an_issue(body="token: 123e4567-e89b-12d3-a456-426614174000")),
        Example("an image in base64", an_issue(body=IMAGE)),
        Example("a URL without a password", an_issue(body="https://user@git.acme.io/acme/billing.git")),
        Example("a password that is a word", an_issue(body="postgres://postgres:postgres@localhost/test")),
    )
