"""Excerpts are short and hold no secret."""

from __future__ import annotations

import pytest

from backlint.rules.evidence import MASK, excerpt, masked


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "password: hunter22",
        "api_key=abcd1234",
        "https://ana:hunter22@example.com/",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
        "AKIAIOSFODNN7EXAMPLE",
        "Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZkdISUpLTE1O",
    ],
)
def test_a_secret_is_masked(secret: str) -> None:
    assert MASK in masked(f"see {secret} there")
    assert secret not in masked(f"see {secret} there")


@pytest.mark.parametrize(
    "text",
    [
        "0123456789abcdef0123456789abcdef01234567",
        "the password is reset by mail",
        "a_very_long_name_of_a_function_in_the_code_base",
        "https://example.com/a/long/path/to/some/page/of/ours",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert masked(text) == text


def test_an_excerpt_is_one_short_line() -> None:
    text = excerpt("word\n  " * 60)

    assert len(text) <= 120
    assert "\n" not in text


def test_no_half_of_a_secret_is_left_by_the_cut() -> None:
    assert "ghp_" not in excerpt("x" * 100 + " ghp_0123456789abcdefghijABCDEFGHIJ012345")
