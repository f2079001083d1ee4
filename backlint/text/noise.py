"""What people paste and did not write: logs, stack traces, e-mail signatures."""

from __future__ import annotations

import re

_LOG = re.compile(
    r"""\s*(?:
        at\ [\w$.<>/]+\(.*\)\s*$                                              # Java
      | at\ .{1,200}\ \(?[\w./\\:-]+:\d+:\d+\)?\s*$                           # JavaScript
      | (?:async\ )?[\w$.]+@https?://\S+:\d+:\d+\s*$
      | at\ [\w.]+[\w`<>]*\(.*\)\ in\ .+:line\ \d+                            # .NET
      | File\ ".+",\ line\ \d+                                                # Python
      | Traceback\ \(most\ recent\ call\ last\)
      | Caused\ by:\ [\w.$]+ | \.\.\.\ \d+\ (?:more|common\ frames)
      | Exception\ in\ thread\ "
      | (?:[\w$]+\.){2,}[\w$]*(?:Exception|Error|Throwable)\b
      | \#\d+\s+(?:0x[0-9a-f]+\b|\S+\(.*\)\ at\ )                             # gdb, PHP
      | \S+\.(?:rb|py|go|js|ts|php|ex|rs):\d+:in[ ]
      | \[?\d{4}-\d\d-\d\d[T\ ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?\]?\S*\s+\S     # ISO time
      | \[?\d{1,2}/(?:\d{1,2}|[A-Z][a-z]{2})/\d{2,4}[:\ ]\d\d:\d\d:\d\d
      | \[?[A-Z][a-z]{2}\ {1,2}\d{1,2}\ \d\d:\d\d:\d\d\]?[ ]
      | \[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?\s+(?:\[|[A-Z]{4,5}\b|\S+\s+[A-Z]{4,5}\b)
      | [IWEF]\d{4}\ \d\d:\d\d:\d\d                                           # glog
      | [VDIWEF]/[\w.-]+\s*(?:\(\s*\d+\))?:                                   # logcat
      | \[(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE)\s*\]
      | (?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL|SEVERE)\s+(?:\[|\d|[\w.]+\.[\w.]+\s)
    )""",
    re.VERBOSE,
)
_SIGNATURE = re.compile(
    r"^(?:--[ \u00a0]|(?:sent from my |von meinem .{1,30} gesendet|envoyé de mon |enviado desde mi |"
    r"inviato da(?:l mio)? ).*)\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_GREETING = re.compile(
    r"^[ \t]*(?:(?:best|kind|warm)(?: regards| wishes)|regards|cheers|mit freundlichen grüßen|viele grüße|beste grüße|"
    r"cordialement|saludos(?: cordiales)?|atenciosamente|cordiali saluti|met vriendelijke groet(?:en)?|pozdrawiam)"
    r"[ \t]*[,.!]?[ \t]*\r?$",
    re.MULTILINE | re.IGNORECASE,
)
# Tags with a prefix, attributes or an end; JSON; lonely brackets. "<name>" alone may be a slot, "[x]" a choice.
_CODE_LINE = re.compile(
    r"""\s*(?:
        </ | <[!?] | <[\w.-]+:[\w.-]+ | <[\w.-]+\s[^<>]*= | <[^<>]*/>\s*$ | <([\w.-]+)>.*</\1>\s*$
      | \{\s*["'] | \{[\w.-]+\s*= | "[\w.$-]+"\s*:\s*(?:["\d{\[]|(?:true|false|null)\b)
      | [{}\[\](),;\s]+$
    )""",
    re.VERBOSE,
)
# A line of prose has this many words of letters alone and no sign of code; prose is mostly such lines.
_LETTERS = re.compile(r"(?<![\w/.\\:-])[^\W\d_]{2,}(?![\w/\\=(])")
_CODE_SIGN = re.compile(r"[{};]\s*$|^\s*[#$>]\s|::|->|=>|==|\w\(|</|^\s*at ")
_MIN_PROSE_LINES = 3
_MIN_PROSE_WORDS = 4
_PROSE_SHARE = 0.6
_MAX_SIGNATURE_LINES = 10
_MAX_GREETING_LINES = 6


def is_log_line(text: str) -> bool:
    """A line of a log or a stack trace, by its form alone."""
    return bool(_LOG.match(text))


def signature_start(text: str) -> int:
    """Where an e-mail signature begins that ends the text; its length when there is none."""
    for pattern, limit in ((_SIGNATURE, _MAX_SIGNATURE_LINES), (_GREETING, _MAX_GREETING_LINES)):
        match = pattern.search(text, _last_lines(text, limit + 1))
        if match is not None:
            return match.start()
    return len(text)


def is_code_line(text: str) -> bool:
    """A line of markup or data that nobody put into a code block."""
    return text[:1] in '<{}[](),;"' and _CODE_LINE.match(text) is not None


def is_prose(code: str) -> bool:
    """Whether sentences were put into a code block: imported reports and pasted mails often are."""
    lines = [line for line in code.splitlines() if line.strip()]
    if len(lines) < _MIN_PROSE_LINES:
        return False
    prose = sum(len(_LETTERS.findall(line)) >= _MIN_PROSE_WORDS and not _CODE_SIGN.search(line) for line in lines)
    return prose >= _PROSE_SHARE * len(lines)


def _last_lines(text: str, count: int) -> int:
    """Where the last so many lines begin."""
    start = len(text)
    for _ in range(count):
        start = text.rfind("\n", 0, start)
        if start < 0:
            return 0
    return start
