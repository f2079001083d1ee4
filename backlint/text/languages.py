"""The language of a text, for rules with word lists; see docs/decisions/0003-language-detection.md."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from backlint.text.words import count_words

ENABLED = ("en", "de", "fr", "es", "pt", "it", "nl", "pl")
# Neighbours that short texts are easily taken for: with them in the race, Czech is Czech and not Polish.
_GUARDS = (
    "sv", "da", "no", "nn", "fi", "cs", "sk", "hu", "ro", "ca", "ru", "uk", "bg", "tr", "el", "ja", "zh", "ko", "ar",
    "he",
)  # fmt: skip
MIN_CONFIDENCE = 0.8  # catalogue 1.10
MIN_WORDS = 5


def detect(text: str) -> tuple[str, float] | None:
    """The likeliest language as an ISO code with a confidence from 0 to 1; None when there are no words.

    The code may be one of no enabled language. The model is loaded at the first call, in half a second.
    """
    if count_words(text) == 0:
        return None
    code, confidence = _model().classify(text)
    return str(code), float(confidence)


def sure_language(text: str) -> str | None:
    """The enabled language of a text, if it is long enough and the answer certain enough to use a word list."""
    if count_words(text) < MIN_WORDS:
        return None
    found = detect(text)
    if found is None or found[0] not in ENABLED or found[1] < MIN_CONFIDENCE:
        return None
    return found[0]


@lru_cache(maxsize=1)
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*ENABLED, *_GUARDS])
    return identifier
