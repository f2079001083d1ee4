"""Credentials and personal data: found by shape, passed where they are examples, and never repeated."""

from __future__ import annotations

import json
import logging
import time
from fractions import Fraction

import msgspec
import pytest

from backlint.backlog import one_issue_backlog
from backlint.model import Issue, Judgement, Link, LinkKind, Markup, Person, Severity, StatusCategory, Verdict
from backlint.rules.engine import asked, fingerprint, judge
from backlint.rules.evidence import MASK, masked
from backlint.rules.personal_data import PersonalData, a_card, an_account, grouped
from backlint.rules.personal_text import find_personal_data, is_iban, is_luhn
from backlint.rules.registry import dimensions, find
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.secret_in_text import LETTERS, SecretInText
from backlint.rules.secret_text import Sensitive, find_secrets, mark
from backlint.text.cache import TextCache
from tests.factory import a_comment, an_issue

HEX = "3f9a1c7e5b2d8f604a6c9e1b7d3f5a82"
# Assembled here, so that no scanner takes this file for a leak.
SECRETS = {
    "AWS access key": "AK" + "IAQ7WZ2RK5VB4XN6TC",
    "GitHub token": "gh" + "o_" + LETTERS + "aB3dE",
    "GitLab token": "gl" + "pat-" + LETTERS[:20],
    "Slack token": "xo" + "xb-" + "2847562910-" + LETTERS[:24],
    "Stripe key": "sk" + "_live_" + LETTERS[:24],
    "Google API key": "AI" + "za" + LETTERS + "a-_B",
    "npm token": "np" + "m_" + LETTERS + "aB3dE",
    "SendGrid key": "S" + "G." + LETTERS[:22] + "." + LETTERS + "aB3dEfG7hJ9k",
    "Linear key": "li" + "n_api_" + LETTERS + "aB3dEfG7h",
    "OpenAI key": "s" + "k-" + LETTERS + "aB3dEfG7hJ9kL2mN4",
    "Shopify token": "sh" + "pat_" + HEX,
    "DigitalOcean token": "do" + "p_v1_" + HEX + HEX[::-1],
    "private key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "signed token": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiI0MiIsInIiOjF9." + LETTERS,
    "password in a URL": "amqp://billing:" + "v7Kq-92xLp" + "@queue.acme.io",
    "unknown kind": "client_secret: " + LETTERS,
}
PERSONAL = {
    "bank account (IBAN)": grouped(an_account()),
    "payment card": grouped(a_card()),
    "phone number": "tel: +49 171 8203947",
    "Dutch id": "BSN 111222333",
    "Polish id": "PESEL 44051401359",
    "e-mail address": "customer jo.miller@mailbox.net",
}
STAFF = {("demo", "ana"): Person(id="ana", name="Ana Example", email="ana@acme.io")}
RULES = (SecretInText(), PersonalData({"own_domains": ["acme.io"]}))


def judged(issue: Issue, *rules: SecretInText | PersonalData) -> tuple[Judgement, ...]:
    backlog = one_issue_backlog(issue, now=EXAMPLE_NOW, people=STAFF)
    return judge(issue, rules or RULES, Context(now=EXAMPLE_NOW, backlog=backlog, texts=TextCache()))


def failing(issue: Issue, *rules: SecretInText | PersonalData) -> list[Judgement]:
    return [each for each in judged(issue, *rules) if each.verdict is Verdict.FAIL]


def kinds(text: str) -> list[str]:
    return [each.kind for each in find_secrets(text)]


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items(), ids=SECRETS)
def test_a_credential_is_known_by_its_shape(kind: str, secret: str) -> None:
    assert kinds(f"It said {secret} and stopped.") == [kind]
    assert kinds(f"```\n{secret}\n```") == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "aws_access_key_id = AK" + "IAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "token = gh" + "p_" + "x" * 36,
        "token = gh" + "p_" + "•" * 36,
        "API_KEY=${BILLING_API_KEY_OF_PRODUCTION_SYSTEM}",
        "password: {{ vault_password_of_the_database_server }}",
        "secret = <your-secret-from-the-settings-page-12345>",
        "postgres://user:password@localhost/db",
        "postgres://billing:${PASSWORD}@db.acme.io",
        "https://git.acme.io/acme/billing.git",
        "commit 3f2a9c1d4b5e6f708192a3b4c5d6e7f801234567",
        "token: 123e4567-e89b-12d3-a456-426614174000",
        "the key is in the drawer, the token is expired, the secret is out",
        "key=value, key = another_value_without_any_numbers",
        "https://docs.acme.io/ccc?key=0As79sf2a3WehdDRMTTNWaHdwVm5BQW95eDc2OFV6TGc",
        "task-force-and-risk-management-of-disk-space-in-data-centres",
        "ey"
        + "JhbGciOiJIUzI1NiJ9.ey"
        + "JzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4",
        "![](data:image/png;base64," + "AK" + "IAQ7WZ2RK5VB4XN6TC/" * 20 + ")",
    ],
)
def test_what_is_no_credential(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize("value", [*SECRETS.values(), *PERSONAL.values()], ids=[*SECRETS, *PERSONAL])
@pytest.mark.parametrize("where", ["title", "body", "comment", "field"])
def test_no_part_of_a_value_is_ever_repeated(value: str, where: str, caplog: pytest.LogCaptureFixture) -> None:
    text = f"It said {value} here."
    given = {
        "title": {"title": text},
        "body": {"body": f"> {text}"},
        "comment": {"comments": (a_comment(text),)},
        "field": {"fields": {"actual": text}},
    }[where]

    with caplog.at_level(logging.DEBUG):
        found = judged(
            an_issue(**given),
            SecretInText({"hash_key": "k"}),
            PersonalData({"own_domains": ["acme.io"], "hash_key": "k"}),
        )  # type: ignore[arg-type]

    assert any(each.verdict is Verdict.FAIL for each in found)
    said = json.dumps([msgspec.to_builtins(each) for each in found]) + repr(found) + caplog.text
    secret = value.rpartition(" ")[2] if value.startswith("client_secret") else value
    for start in range(len(secret) - 5):
        piece = secret[start : start + 6]
        assert piece not in said or piece in "customer PRIVATE KEY-----BEGIN ", piece


def test_evidence_is_masked_wholly_and_tells_no_length() -> None:
    (finding,) = failing(an_issue(body=f"see {SECRETS['GitHub token']}"))

    (evidence,) = finding.evidence
    assert (evidence.excerpt, evidence.field, evidence.start, evidence.end) == (MASK, "body", 4, None)
    assert "body" not in finding.message
    assert "the description" in finding.message


def test_a_found_value_is_in_no_print() -> None:
    assert "hunter" not in repr(Sensitive("password", 0, 6, value="hunter"))


def test_the_same_value_has_one_mark_for_a_key_and_none_without() -> None:
    assert mark("value", "key") == mark("value", "key")
    assert len({mark("value", "key"), mark("value", "other"), mark("another", "key")}) == 3
    assert mark("value", "") == ""


def test_two_credentials_are_two_findings_and_one_twice_is_one() -> None:
    body = f"{SECRETS['GitHub token']} {SECRETS['npm token']}"
    twice = f"{SECRETS['GitHub token']} {SECRETS['GitHub token']}"

    assert len({fingerprint(each) for each in failing(an_issue(body=body))}) == 2
    assert len(failing(an_issue(body=twice), SecretInText({"hash_key": "k"}))) == 1


def test_a_finding_is_the_same_on_the_next_day() -> None:
    issue = an_issue(body=f"a {SECRETS['GitHub token']}", comments=(a_comment(SECRETS["npm token"]),))

    assert [fingerprint(each) for each in failing(issue)] == [fingerprint(each) for each in failing(issue)]


@pytest.mark.parametrize(
    "given",
    [
        {"category": StatusCategory.DONE},
        {"category": StatusCategory.CANCELLED},
        {"labels": frozenset({"hygiene:skip"})},
        {"links": (Link(LinkKind.DUPLICATES, "2"),)},
    ],
)
def test_every_issue_is_looked_at(given: dict[str, object]) -> None:
    assert failing(an_issue(body=SECRETS["AWS access key"], **given))


def test_text_of_any_notation_is_looked_at() -> None:
    adf = {
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": SECRETS["npm token"]}]}],
    }

    assert failing(an_issue(body=json.dumps(adf), markup=Markup.ADF))
    assert failing(an_issue(body=f"{{code}}{SECRETS['npm token']}{{code}}", markup=Markup.WIKI))


def test_findings_are_private() -> None:
    body = f"{SECRETS['AWS access key']} {PERSONAL['bank account (IBAN)']}"
    found = failing(an_issue(body=body, category=StatusCategory.TODO))

    assert [each.severity for each in found] == [Severity.CRITICAL, Severity.WARNING]
    assert asked(found, points=lambda _: Fraction(1), info_too={"SEC001", "SEC002"}) == ()
    for code in ("SEC001", "SEC002"):
        assert (find(code).label, find(code).question, find(code).private) == (None, None, True)
        assert code not in dimensions()


def test_excerpts_of_other_rules_mask_the_same_shapes() -> None:
    for secret in SECRETS.values():
        value = next(iter(find_secrets(secret))).value
        assert value not in masked(f"It said {secret} here.")


# -- personal data -----------------------------------------------------------------------------------------------------


def personal(text: str) -> list[str]:
    return [each.kind for each in find_personal_data(text, own_domains={"acme.io"}, known={"ana@acme.io"})]


@pytest.mark.parametrize(("kind", "value"), PERSONAL.items(), ids=PERSONAL)
def test_personal_data_is_known_by_shape_and_check_digit(kind: str, value: str) -> None:
    assert personal(f"It said {value} here.") == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1111",
        "card 4242-4242-4242-4242",
        "order 4024007123456781",
        "card 4024 0071 2345 6789",
        "IBAN GB82 WEST 1234 5698 7654 32",
        "IBAN " + grouped("DE11" + an_account()[4:]),
        "BSN 111222334",
        "PESEL 44051401358",
        "111222333",
        "phone: 202-555-0143",
        "mobile 4.0.2.2012 10 09 18",
        "customer ana@acme.io",
        "customer jo@example.com",
        "customer support@mailbox.net",
        "built with socket.io@0.9.6 for the customer",
        "jo.miller@mailbox.net wrote the parser",
        "2026-03-10 12:00:00 1234567890123456",
    ],
)
def test_what_is_nobodys_data(text: str) -> None:
    assert personal(text) == []


def test_addresses_are_only_looked_for_where_the_own_ones_are_known() -> None:
    text = "customer jo.miller@mailbox.net"

    assert not list(find_personal_data(text, own_domains=(), known=()))
    assert list(find_personal_data(text, own_domains={"acme.io"}, known=()))
    assert not list(find_personal_data(text, own_domains={"acme.io"}, known={"jo.miller@mailbox.net"}))


def test_check_digits() -> None:
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB83WEST12345698765432")
    assert is_luhn("4111111111111111")
    assert not is_luhn("4111111111111112")
    assert sum(is_luhn(f"402400712345{last:04}") for last in range(10_000)) == 1_000


@pytest.mark.parametrize(
    "piece",
    [
        "a", "1", "1 ", "a@", "a@a.", "://a:b", "://aaaa:", "eyJaaaaaaaaaaa.", "key=",
        "key = aaaaaaaaaaaaaaaaaaaaaaaa", "ghp_",
        "-----BEGIN ", "4111-", "DE12 3456 ", "phone: +", "sk-aaaaaaa", "data:a/a;base64,", "customer a@b.c ",
        "NIR 1 ", "SG.a",
    ],
)  # fmt: skip
def test_looking_takes_linear_time(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    started = time.process_time()

    list(find_secrets(text))
    personal(text)

    assert time.process_time() - started < 4
