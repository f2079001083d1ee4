"""Finds credentials by their shape. What it finds is never repeated: callers get a kind and a place, and may ask a"
" mark.

Every pattern begins with a fixed text or is bounded, so that a megabyte of anything is read in linear time.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from backlint.text.gates import Gates


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Something that must not stand in a text: its kind and place. The value itself is kept out of every print."""

    kind: str
    start: int
    end: int
    is_certain: bool = True
    value: str = field(default="", repr=False)


def mark(value: str, key: str) -> str:
    """A keyed hash by which the same value is known again elsewhere; without a key there is none to make."""
    return (
        hmac.new(key.encode(), value.encode("utf-8", "backslashreplace"), hashlib.sha256).hexdigest()[:16]
        if key
        else ""
    )


# Formats as their issuers document them, or as their tokens show [unverified: lengths change without notice, hence the
# open upper bounds]. Each begins with the text that makes it recognisable.
_PROVIDERS: dict[str, str] = {
    "AWS access key": r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",
    "GitHub token": r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255}",
    "GitLab token": r"gl(?:pat|dt|rt|ptt|ft|soat|cbt|imt|agent)-[\w-]{20,255}",
    "Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{20,255}|xapp-\d-[A-Za-z0-9-]{20,255}",
    "Slack webhook": r"https://hooks\.slack\.com/services/T[A-Za-z0-9]{6,20}/B[A-Za-z0-9]{6,20}/[A-Za-z0-9]{20,40}",
    "Stripe key": r"[sr]k_live_[A-Za-z0-9]{16,255}",
    "Stripe test key": r"[sr]k_test_[A-Za-z0-9]{16,255}",
    "Google API key": r"AIza[\w-]{35}(?![\w-])",
    "Google OAuth secret": r"GOCSPX-[\w-]{28}(?![\w-])",
    "npm token": r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])",
    "PyPI token": r"pypi-AgE[\w-]{50,255}",
    "RubyGems key": r"rubygems_[a-f0-9]{48}(?![a-f0-9])",
    "Docker Hub token": r"dckr_pat_[\w-]{20,64}",
    "SendGrid key": r"SG\.[\w-]{16,32}\.[\w-]{32,64}",
    "Linear key": r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}",
    "Atlassian token": r"ATATT3[\w=-]{60,255}",
    "OpenAI key": r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{40,255}",
    "Anthropic key": r"sk-ant-[\w-]{40,255}",
    "Hugging Face token": r"hf_[A-Za-z0-9]{30,64}",
    "DigitalOcean token": r"do[opr]_v1_[a-f0-9]{64}(?![a-f0-9])",
    "Shopify token": r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?![a-fA-F0-9])",
    "Databricks token": r"dapi[a-f0-9]{32}(?![a-f0-9])",
    "Azure storage key": r"AccountKey=[A-Za-z0-9+/]{86}==",
    "private key": r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d",
    "signed token": r"eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{16,1000}",
}
_SHAPES = {kind: re.compile(pattern) for kind, pattern in _PROVIDERS.items()}
_IN_URL, _NAMELESS = "password in a URL", "unknown kind"
_URL_PASSWORD = re.compile(r"://(?P<user>[^\s:/@?#\"'<>]{1,64}):(?P<value>[^\s/@\"'<>]{3,128})@(?=[\w\[])")
_NAMED = re.compile(
    r"(?:key|secret|token|passw(?:or)?d|pwd|credentials?)"
    r"[\"']?[ \t]{0,4}(?:=>|:=|[:=])[ \t]{0,4}[\"'`]?(?P<value>[A-Za-z0-9+/_=.-]{20,512})",
    re.IGNORECASE,
)
_GATES = Gates([*_SHAPES.items(), (_IN_URL, _URL_PASSWORD), (_NAMELESS, _NAMED)])
_IMAGE = re.compile(r"data:[\w.+-]{1,40}/[\w.+-]{1,80};base64,[A-Za-z0-9+/=]*")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-fA-F]+")
# What stands where a value would: masks, variables, words of examples, runs of the keyboard.
_EXAMPLE = re.compile(
    r"example|sample|dummy|fake|placeholder|redacted|removed|hidden|masked|changeme|change_me|your[_-]"
    r"|my[_-]?(?:secret|token|key|password)"
    r"|xxxx|\*\*\*|\.\.\.|•|…|<|>|\$\{|\{\{|%\(|%[A-Z_]+%|^\$[A-Za-z_]|0123456|1234567|abcdefg|deadbeef|insert|todo"
    r"|secret_here|token_here",
    re.IGNORECASE,
)
_PLAIN_PASSWORDS = frozenset(
    {
        "pass", "password", "passwd", "pwd", "secret", "user", "username", "admin", "root", "test", "guest", "postgres",
        "mysql", "token", "key", "foo", "bar", "baz", "qux", "address", "host", "domain", "passphrase",
        "yourpassword", "mypassword",
    }
)  # fmt: skip
# The payload of the signed token that the format's best-known page shows: {"sub":"1234567890","name":"John Doe"...
_KNOWN_EXAMPLES = ("eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9l",)
MIN_ENTROPY = {"base64": 4.5, "hex": 3.0}  # bits a character, catalogue SEC001
MIN_DISTINCT = 8  # characters; a token of fewer was typed by holding keys
MAX_FOUND = 50  # in one text; more say nothing more


def find_secrets(text: str) -> Iterator[Sensitive]:
    """Credentials in a text, in order of kind; at most fifty."""
    if len(text) < 12:
        return
    possible = _GATES.open(text)
    if not possible:
        return
    text = _without_images(text)
    shaped = _shaped(text, [kind for kind in _SHAPES if kind in possible])
    in_urls = _in_urls(text) if _IN_URL in possible else ()
    named = _named(text) if _NAMELESS in possible else ()
    yield from (*shaped, *in_urls, *named)[:MAX_FOUND]


def _without_images(text: str) -> str:
    """Images in base64 blanked out, with all offsets as they were."""
    if "base64," not in text:
        return text
    return _IMAGE.sub(lambda image: " " * len(image.group()), text)


def _shaped(text: str, kinds: Iterable[str]) -> list[Sensitive]:
    found: dict[int, Sensitive] = {}  # by place: Anthropic's keys begin like OpenAI's
    for kind in kinds:
        for match in _SHAPES[kind].finditer(text):
            before = text[match.start() - 1] if match.start() else " "
            if not before.isalnum() and before != "_" and not _is_example(match.group()):
                is_certain = kind != "Stripe test key"
                found.setdefault(match.start(), Sensitive(kind, *match.span(), is_certain, match.group()))
    return list(found.values())


def _is_example(value: str) -> bool:
    if value.startswith(("-----", "PuTTY")):
        return False
    if any(known in value for known in _KNOWN_EXAMPLES) or _EXAMPLE.search(value):
        return True
    return len(set(value)) < MIN_DISTINCT + 2


def _in_urls(text: str) -> list[Sensitive]:
    found = []
    for match in _URL_PASSWORD.finditer(text):
        value = match["value"]
        is_filler = (
            value.casefold().strip("[](){}.,;'") in _PLAIN_PASSWORDS or value == match["user"] or len(set(value)) < 3
        )
        if not is_filler and not _EXAMPLE.search(value) and not value.isdigit():
            found.append(Sensitive(_IN_URL, match.start("value"), match.end("value"), True, value))
    return found


def _named(text: str) -> list[Sensitive]:
    """`api_key = ...` with a value that looks random: less certain, so it is information."""
    found = []
    for match in _NAMED.finditer(text):
        value = match["value"].strip("=.-_") or match["value"]
        if match.group()[:4].casefold() == "key=" and text[max(0, match.start() - 1) : match.start()] in ("?", "&"):
            continue  # a document's id in an address
        if _is_random(value) and not _EXAMPLE.search(match["value"]) and not _has_shape(value):
            found.append(Sensitive(_NAMELESS, match.start("value"), match.end("value"), False, value))
    return found


def _has_shape(value: str) -> bool:
    return any(pattern.match(value) for pattern in _SHAPES.values())


def _is_random(value: str) -> bool:
    if len(value) < 20 or _UUID.fullmatch(value) or value.count("/") > 2 or value.count(".") > 1:
        return False
    if _HEX.fullmatch(value):
        return any(each.isdigit() for each in value) and not value.isdigit() and _entropy(value) >= MIN_ENTROPY["hex"]
    has_digit = any(each.isdigit() for each in value)
    return has_digit and _entropy(value) >= MIN_ENTROPY["base64"]


def _entropy(value: str) -> float:
    """Bits a character by the frequencies within the value."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
