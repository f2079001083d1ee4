"""Whether a line is still waiting to be written (catalogue 1.8)."""

from __future__ import annotations

import re

from backlint.text.words import count_words, normalised

_KNOWN = frozenset(
    {
        "tbd", "tba", "tbc", "todo", "to do", "to be defined", "to be determined", "to be decided", "to be done",
        "to be added", "to be written", "to be confirmed", "still to be defined", "fill in", "fill me in",
        "please fill in", "wip", "work in progress", "n/a", "n.a", "na", "not applicable", "none", "nil", "null",
        "no", "nothing", "xxx", "xx", "x", "lorem ipsum", "see title", "see above", "see below", "see summary",
        "see subject", "as above", "as discussed", "coming soon", "later", "no response", "add here",
        "your text here", "insert text here", "text here", "enter text here",
        "offen", "noch offen", "folgt", "wird ergänzt", "wird noch ergänzt", "entfällt", "keine", "siehe titel",
        "siehe oben", "à définir", "a définir", "à compléter", "néant", "aucun", "voir titre", "por definir",
        "pendiente", "ninguno", "ver título", "a definir", "pendente", "nenhum", "da definire",
        "nessuno", "vedi titolo", "nog te bepalen", "n.v.t", "nvt", "geen", "zie titel", "do ustalenia", "brak",
        "do uzupełnienia", "уточнить", "нет", "未定", "待定", "なし", "無し", "特になし", "无", "待补充",
    }
)  # fmt: skip
_LONGEST = max(map(len, _KNOWN)) + 20  # with numbering and marks around it

# A slot: [some context], <browser>, \<\>, {value}; round brackets only around a generic word, since people write in
# them.
_SLOT = re.compile(
    r"\[[^\[\]]*\]|\\?<[^<>]*\\?>|\{[^{}]*\}|_{2,}|"
    r"\((?:an?|the|your|some|any|this)?\s*(?:given|when|then|and|text|title|name|value|number|date|role|user|persona|action|feature|"
    r"goal|benefit|reason|outcome|result|context|condition|precondition|criteri(?:on|a)|description|something|someone|"
    r"details?|steps?|example|optional|required|if any|…|\.{2,}|\s*)\)",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"\[[^\[\]]*\]\([^()]*\)")
_QUOTED_DOTS = re.compile(r"""["'“”‘’`«»]\s*(?:\.{2,}|…)\.*\s*["'“”‘’`«»]""")
_DOTS = re.compile(r"\.{3,}|…")
# "We want to ...", "So we can ...": the beginning of a sentence that a form gives.
_OPEN_END = re.compile(
    r"\W*(?:we|i|so(?: that)?|as an?|when|if|given|then|in order to|as a)(?:\s+[\w']+){0,4}\s*(?:\.{3,}|…)\W*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\(?\d{0,3}[.):]*")
# What a template asks of its reader, when the whole line stands in brackets or in italics.
_PROMPT = re.compile(
    r"(?:please|describe|summari[sz]e|explain|paste|provide|include|insert|enter|specify|tell us|"
    r"(?:list|add|write|fill|state|give) (?:the|any|your|all|an?|some|here|in|as|us)|"
    r"what|how|why|if (?:you can|you have|applicable|any|possible|relevant|needed)|"
    r"optional|a clear and concise|(?:your|short|brief|detailed|any) \w+|"
    r"bitte|beschreib\w*|d[eé]cri\w+|veuillez|describ\w+|por favor)\b"
)
# What a form asks in plain letters: about "this request", whose author would not ask so, or how to fill itself in.
_FORM = re.compile(
    r"\W*(?:what|which|who|why|how|where|when|is|are)\b[^.?!]{0,60}\b(?:of|for|in|to|by|with)\s+this\s+"
    r"(?:request|issue|ticket|form|iteration)\s*\?|"
    r"[^.?!]{0,80}\b(?:check|select|mark|choose|tick)\s+(?:all|any)\s+(?:boxes\s+)?that\s+apply\b|"
    r"[^?!]{0,160}\badd(?:\s*/\s*|\s+or\s+)remove\s+(?:rows|sections|lines|items)\s+as\s+(?:needed|necessary)\b|"
    r"\W*(?:is this an? [\w ]{3,20}\?|if this is|please|make sure)[^\n]{0,60}"
    r"\buse\s+the\s+(?:bug|feature|issue|question|proposal|[\w]+ request|\w+ report)\s+template\b",
    re.IGNORECASE,
)
# Parts of a pattern that nobody filled: "We build X so that Y grows", "Deliverable 1".
_LETTERS = re.compile(
    r"(?<![\w'])X(?![\w'+#-]).{0,60}"
    r"\b(?:so that|so|which|as measured by|measured by|in order to)\b.{0,60}(?<![\w'])[YZ](?![\w'+#-])",
)
_NUMBERED = re.compile(
    r"(?:\[[ x]\]\s*)?(?:deliverable|requirement|(?:acceptance )?criteri(?:on|a)|goal|objective|step|task|item|option|"
    r"feature|(?:not )?in scope|out of scope|scenario|point|kriterium|anforderung|crit[èe]re|criterio|exigence"
    r"|requisito)\W*(?:#\s*)?(?:\d{1,2}|[A-CX])\W*",
    re.IGNORECASE,
)
_NOT_APPLICABLE = re.compile(
    r"\W*(?:n/a|n\.a\.?|not applicable|n\.?v\.?t\.?|entfällt|nicht zutreffend|sans objet|no aplica|não se aplica|"
    r"non applicabile|nie dotyczy)(?P<sign>\s*(?:[-–—:;,(]|\bbecause\b|\bsince\b|\bas\b|\bweil\b|\bda\b)\s*)"
    r"(?P<reason>.+)",
    re.IGNORECASE | re.DOTALL,
)
_MIN_REASON = 3
_MAX_PATTERN = 120  # characters; a sentence with letters for words is no longer
_MAX_AROUND_DOTS = 5
_MAX_AROUND_SEVERAL_DOTS = 9


def is_placeholder(text: str, *, is_italic: bool = False) -> bool:
    """Nothing in the line is the author's: it is empty, "TBD", slots, a blank number, or a prompt."""
    if not text:
        return True
    first = text[0]
    if len(text) <= _LONGEST or is_italic:
        known = normalised(text)
        if not known or known in _KNOWN:
            return True
        if len(text) < 6 and _NUMBER.fullmatch(text):
            return True
        if is_italic and (known.strip("()") in _KNOWN or _PROMPT.match(known)):
            return True
    if first in "([{<\\_" and _is_bracketed_prompt(text):
        return True
    if ("[" in text or "<" in text or "{" in text or "(" in text) and not words_outside_slots(text):
        return not _MARKDOWN_LINK.search(text)
    if (" this " in text or " as ne" in text or " apply" in text or " template" in text) and _FORM.match(text):
        return True
    if len(text) < 40 and _NUMBERED.fullmatch(text):
        return True
    if "X" in text and _LETTERS.search(text[:_MAX_PATTERN]):
        return len(text) <= _MAX_PATTERN
    return _is_dotted(text)


def words_outside_slots(text: str) -> int:
    """Words that are not inside a slot or dots: what is left of a template line that nobody filled."""
    return count_words(_DOTS.sub(" ", _SLOT.sub(" ", text)))


def waiver_reason(text: str) -> str | None:
    """The reason of an inline waiver: "N/A" with at least three words that say why."""
    waived = _NOT_APPLICABLE.match(text)
    if waived is None:
        return None
    reason = waived["reason"].strip(" ).")
    return reason if count_words(reason) >= _MIN_REASON else None


def _is_bracketed_prompt(text: str) -> bool:
    inner = text.strip().rstrip(".:")
    pairs = {"(": ")", "[": "]", "{": "}", "<": ">", "_": "_"}
    opener = inner[0]
    closer = pairs.get(opener)
    if closer is None or not inner.endswith(closer) or len(inner) < 2:
        return False
    inner = inner[1:-1]
    if closer != "_" and closer in inner and not -1 < inner.find(opener) < inner.find(closer):
        return False  # "(a) and (b)": two brackets, not one around all
    known = normalised(inner)
    return not known or known in _KNOWN or bool(_PROMPT.match(known))


def _is_dotted(text: str) -> bool:
    """ "Go to '...'" and "As a …, I want …": dots where words belong, with few words around."""
    if "'" not in text and "…" not in text and "..." not in text and '"' not in text and "`" not in text:
        return False
    if _QUOTED_DOTS.search(text):
        return count_words(_QUOTED_DOTS.sub(" ", text)) <= _MAX_AROUND_DOTS
    if _OPEN_END.fullmatch(text):
        return True
    dots = len(_DOTS.findall(text))
    return dots >= 2 and count_words(_DOTS.sub(" ", text)) <= _MAX_AROUND_SEVERAL_DOTS
