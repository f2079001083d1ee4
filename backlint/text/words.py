"""Counting and normalising words, in every script."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Scripts written without spaces: kana, Han, Thai, Lao, Khmer, Myanmar. Hangul has spaces.
_UNSPACED = re.compile("[぀-ヿㇰ-ㇿ㐀-䶿一-鿿豈-﫿ｦ-ﾟ\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]")
_WORD = re.compile(r"[^\W_][^\s]*")
_NUMBERING = re.compile(r"(?:\(?(?:\d{1,3}(?:\.\d{1,3})*|[ivx]{1,4}|[a-z])[.)]\s+)+")
_NUMBER_ENDS = 6  # characters within which a first number ends
_EDGES = " \t\n\r*_`~#>:;.,!?…-–—=|•·"
# Pictures and their modifiers, and the signs people decorate headings with.
_EMOJI = re.compile(
    "[\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\ufe0f\u200d\u20e3\U0001f000-\U0001faff]"
)
_SHORT_CODE = re.compile(r":[a-z][a-z0-9_+-]*:")


def count_words(text: str) -> int:
    """Words; in scripts without spaces two characters count as one."""
    if text.isascii():
        return len(_WORD.findall(text))
    unspaced = len(_UNSPACED.findall(text))
    if unspaced:
        text = _UNSPACED.sub(" ", text)
    return len(_WORD.findall(text)) + unspaced // 2


def unspaced_characters(text: str) -> int:
    return 0 if text.isascii() else len(_UNSPACED.findall(text))


@lru_cache(maxsize=8192)
def normalised(text: str) -> str:
    """The text for comparing: NFKC, casefolded, without emoji, numbering, marks at the edges and doubled spaces."""
    if not text.isascii():
        text = _EMOJI.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'")
    text = text.casefold()
    if ":" in text:
        text = _SHORT_CODE.sub("", text)
    text = " ".join(text.split())
    if "." in text[:_NUMBER_ENDS] or ")" in text[:_NUMBER_ENDS]:
        numbering = _NUMBERING.match(text)
        if numbering:
            text = text[numbering.end() :]
    return text.strip(_EDGES)
