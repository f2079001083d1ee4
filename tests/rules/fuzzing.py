"""Texts that nobody should write and somebody will: made from a seed, and what must hold when rules judge them."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any

from backlint.backlog import one_issue_backlog
from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Judgement, Markup, Verdict
from backlint.rules.engine import judge
from backlint.rules.registry import all_rules, dimensions
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.scores import issue_score
from backlint.text.cache import TextCache
from backlint.text.document import Document
from backlint.text.languages import sure_language

# The same three sentences in twenty languages: a wish, a purpose, a condition.
PROSE = {
    "en": "As a clerk I want to export the list. The goal is fewer calls. The file must open in a spreadsheet.",
    "de": "Als Sachbearbeiter möchte ich die Liste exportieren. Ziel sind weniger Anrufe. Die Datei muss sich öffnen.",
    "fr": "En tant que comptable, je veux exporter la liste. L’objectif : moins d’appels. Le fichier doit s’ouvrir.",
    "es": "Como contable quiero exportar la lista. El objetivo es recibir menos llamadas. El archivo debe abrirse.",
    "pt": "Como contador quero exportar a lista. O objetivo é receber menos chamadas. O arquivo deve abrir.",
    "it": "Come contabile voglio esportare la lista. L’obiettivo è ricevere meno chiamate. Il file deve aprirsi.",
    "nl": "Als boekhouder wil ik de lijst exporteren. Het doel is minder telefoontjes. Het bestand moet opengaan.",
    "pl": "Jako księgowa chcę wyeksportować listę. Celem jest mniej telefonów. Plik musi się otworzyć.",
    "sv": "Som kamrer vill jag exportera listan. Målet är färre samtal. Filen måste gå att öppna.",
    "cs": "Jako účetní chci exportovat seznam. Cílem je méně telefonátů. Soubor se musí otevřít.",
    "tr": "Muhasebeci olarak listeyi dışa aktarmak istiyorum. Amaç daha az arama. Dosya açılmalıdır.",
    "ru": "Как бухгалтер, я хочу выгрузить список. Цель — меньше звонков. Файл должен открываться.",
    "el": "Ως λογιστής θέλω να εξάγω τη λίστα. Στόχος είναι λιγότερες κλήσεις. Το αρχείο πρέπει να ανοίγει.",
    "ar": "بصفتي محاسبا أريد تصدير القائمة. الهدف مكالمات أقل. يجب أن يفتح الملف.",
    "he": "כרואה חשבון אני רוצה לייצא את הרשימה. המטרה היא פחות שיחות. הקובץ חייב להיפתח.",
    "hi": "एक लेखाकार के रूप में मैं सूची निर्यात करना चाहता हूँ। लक्ष्य कम कॉल हैं। फ़ाइल खुलनी चाहिए।",
    "th": "ในฐานะนักบัญชีฉันต้องการส่งออกรายการ เป้าหมายคือสายเรียกเข้าน้อยลง ไฟล์ต้องเปิดได้",
    "ja": "経理担当者として一覧を出力したい。目的は電話を減らすことです。ファイルが開けること。",
    "zh": "作为会计，我想导出列表。目标是减少电话。文件必须能打开。",
    "ko": "회계 담당자로서 목록을 내보내고 싶다. 목표는 전화를 줄이는 것이다. 파일이 열려야 한다.",
}
ODD = (
    "👩‍👩‍👧‍👦", "🇩🇪", "\u202e", "\u200b", "\u200f", "\ufeff", "e\u0301" * 3,
    "\u0000", "\ud800", "\x1b[31m", "ﬁ", "İ", "ß", "𝔘𝔫𝔦",
    "\u2028", "\r\n", "\r", "\t", "\xa0", "\u3000", "Z̷̨͝a̸͎͂l̶͉̓g̷̜͝o̸̟͌",
)  # fmt: skip
BROKEN = (
    "```", "~~~gherkin\nGiven", "<details><summary>", "<!-- ",
    "-->", "</div>", "<table><tr><td>", "| a | b\n|---", "> > > ",
    "- [ ] ", "- [x", "**bold", "__", "~~", "![", "](",
    "[link](<", "&#x110000;", "&nbsp;", "\\", "***", "# ", "####### ",
    "1. 2. 3. ", "---\n", "$$", "[^1]:", "<script>",
    "<![CDATA[", "{code", "{code:java}", "{panel:title=", "{quote}", "{noformat}",
    "||head|cell|", "h3. ", "bq. ", "{color:#f00}", "[~mia]",
    "!image.png|thumbnail!", "{expand:", "{{mono", "*_-+", "{*}x{*}",
    "{include:Page}", "{toc}", "{jiraissues:url=", "----", "<backlint:comment>", "/hygiene waive AC001",
)  # fmt: skip
LOG = "2026-03-02 09:00:00,123 ERROR [worker-7] c.a.pay.Export - java.lang.IllegalStateException: row 17 {id=9}\n"
LARGE = 0.1  # share of texts whose growth is measured; each takes as long as some hundred others
CRITERIA = "Acceptance criteria\n\n- The file opens in a spreadsheet with all its rows\n\n"
HEADINGS = {Markup.MARKDOWN: "## ", Markup.WIKI: "h2. "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text to judge; `seed` makes it again. `is_large` texts are also judged at twice their size."""

    seed: str
    kind: str
    body: str
    markup: Markup
    type: IssueType
    is_large: bool = False


def case(seed: str, *, large: float = LARGE) -> Case:
    """The text that belongs to a seed; `large` is the share of large ones."""
    draw = random.Random(seed)
    wants_large = draw.random() < large
    kind = draw.choice([name for name, (_, is_large, _) in KINDS.items() if is_large is wants_large])
    make, is_large, markups = KINDS[kind]
    return Case(
        seed=seed,
        kind=kind,
        body=make(draw),
        markup=draw.choice(markups),
        type=draw.choice(list(IssueType)),
        is_large=is_large,
    )


def fuzzed(
    seed: str, *, until: float | None = None, cases: int | None = None, large: float = LARGE
) -> Iterator[tuple[Case, list[str]]]:
    """Cases with what is wrong of each, until a moment of `time.monotonic` or a number of cases."""
    sure_language("The model of languages is loaded before anything is measured.")
    for number in count():
        if (cases is not None and number >= cases) or (until is not None and time.monotonic() >= until):
            return
        made = case(f"{seed}:{number}", large=large)
        yield made, problems(made)


# -- what must hold --------------------------------------------------------------------------------------------------

RULES = [rule() for rule in all_rules()]
# Twice the text takes twice the time; what needs more than this, several times in a row, grows faster.
GROWTH = 3.2
NOTICEABLE = 0.4  # seconds: below, the clock measures other things


def problems(made: Case) -> list[str]:
    """What is wrong with how the case is judged; nothing, if all is well."""
    issue = _issue(made)
    try:
        found, document = _judged(issue)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return [f"{type(error).__name__}: {error}"]
    wrong = [f"{each.rule}: {each.reason}" for each in found if each.reason.startswith("the rule itself failed")]
    wrong += _misplaced(document)
    if _judged(issue)[0] != found:
        wrong.append("judged again it comes out otherwise")
    score = issue_score(found, dimensions())
    if score is not None and not 0 < score.exact <= 100:
        wrong.append(f"score {score.exact}")
    json.dumps([each.message + each.reason for each in found])
    wrong += _false_claims(made)
    if made.is_large:
        wrong += _growth(made)
    return wrong


def _issue(made: Case, body: str | None = None) -> Issue:
    text = made.body if body is None else body
    title = " ".join(text[:90].split()) or "Export"
    return an_issue(type=made.type, body=text, title=title, markup=made.markup)


def _judged(issue: Issue) -> tuple[tuple[Judgement, ...], Document]:
    texts = TextCache()
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=texts)
    return judge(issue, RULES, context), texts.body(issue)


def _misplaced(document: Document) -> Iterator[str]:
    for part in (*document.items, *document.dropped, *document.sections, *document.scenarios):
        if not 0 <= part.start <= part.end <= len(document.text):
            yield f"a place outside the text: {part.start}:{part.end} of {len(document.text)}"
            return


def _false_claims(made: Case) -> Iterator[str]:
    """Criteria at the top of a text are criteria, whatever follows them."""
    if made.markup not in HEADINGS or made.is_large:
        return
    issue = _issue(replace(made, type=IssueType.STORY), HEADINGS[made.markup] + CRITERIA + made.body)
    for each in _judged(issue)[0]:
        if each.rule in ("AC001", "AC002", "TXT001") and each.verdict is Verdict.FAIL and _is_read(issue):
            yield f"{each.rule} is claimed of a text that begins with criteria: {each.message}"


def _is_read(issue: Issue) -> bool:
    """A text that backlint wrote, or a signature above all, is nobody's on purpose."""
    return "backlint:comment" not in issue.body


def _growth(made: Case) -> Iterator[str]:
    doubled = made.body + made.body if made.markup is not Markup.ADF else None
    if doubled is None:
        return
    ratios: list[float] = []
    for _ in range(3):
        once, twice = _seconds(_issue(made)), _seconds(_issue(made, doubled))
        ratios.append(twice / once if twice > NOTICEABLE else 0.0)
        if ratios[-1] < GROWTH:
            return
    yield f"twice the text takes {min(ratios):.1f} times as long ({len(made.body):,} characters)"


def _seconds(issue: Issue) -> float:
    began = time.process_time()
    _judged(issue)
    return time.process_time() - began


# -- what is made ----------------------------------------------------------------------------------------------------


@cache
def _sources() -> tuple[str, ...]:
    """The texts of all rules' examples: what the rules look for stands in them."""
    bodies = {
        example.issue.body
        for rule in all_rules()
        for example in (*rule.flagged, *rule.passed, *rule.declined)
        if example.issue.body and example.issue.markup is not Markup.ADF
    }
    return tuple(sorted(bodies))


def _spliced(draw: random.Random) -> str:
    """Pieces of real shapes, cut anywhere, with what is odd or broken between them."""
    parts = []
    for _ in range(draw.randint(1, 12)):
        source = draw.choice(_sources())
        first = draw.randrange(len(source))
        parts.append(source[first : first + draw.randint(1, 400)])
        if draw.random() < 0.6:
            parts.append(draw.choice((*ODD, *BROKEN, *PROSE.values())))
        parts.append(draw.choice(("", "", "\n", "\n\n", " ")))
    return "".join(parts)


def _languages(draw: random.Random) -> str:
    return draw.choice(("\n", "\n\n", " ", "\n- ", "\n> ", "\n| ")).join(
        draw.choice(list(PROSE.values())) + draw.choice(("", draw.choice(ODD))) for _ in range(draw.randint(1, 20))
    )


def _soup(draw: random.Random) -> str:
    pieces = (*ODD, *BROKEN, "\n", "\n\n", "    ", "word ", "As a user I want ", "Given x\nWhen y z\nThen a b\n")
    return "".join(draw.choice(pieces) for _ in range(draw.randint(1, 300)))


def _random_text(draw: random.Random) -> str:
    planes = ((32, 126), (160, 0x2FF), (0x370, 0x5FF), (0x600, 0x6FF), (0x4E00, 0x4FFF), (0x1F300, 0x1F6FF), (1, 31))
    picked = draw.choices(planes, k=draw.randint(1, 2000))
    return "".join(chr(draw.randint(*plane)) for plane in picked)


def _log(draw: random.Random) -> str:
    return "".join(f"{LOG[:-1]} {draw.random()}\n" for _ in range(draw.choice((400, 4_000, 8_000))))


def _items(draw: random.Random) -> str:
    mark = draw.choice(("- ", "* ", "1. ", "- [ ] ", "# ", "|", "> - ", "+ "))
    what = draw.choice(
        ("the file opens with row {}", "TBD", "{}", "Given {} then it shall be", "{} must be at least 5")
    )
    return "".join(f"{mark}{what.format(number)}\n" for number in range(draw.choice((1_000, 10_000))))


def _nested(draw: random.Random) -> str:
    step = draw.choice(
        ("  ", "> ", "- ", "* ", "  - ", "*", "#", "[", "(", "<div>", "<ul><li>", "{quote}", "**", "> - ")
    )
    return "".join(f"{step * depth}level {depth} of the list\n" for depth in range(1, draw.choice((60, 250))))


def _deep(draw: random.Random) -> str:
    step = draw.choice(
        ("> ", "[", "(", "<div>", "<ul><li>", "{quote}", "**", "*", "_", "`", "|", "![", "<b>", "- ", "~~", "$")
    )
    return step * draw.choice((1_000, 10_000)) + draw.choice(("", "words that follow all this", "\n"))


def _repeated(draw: random.Random) -> str:
    piece = draw.choice((*ODD, *BROKEN, *PROSE.values(), *_sources()))
    return piece * max(1, draw.choice((20_000, 100_000)) // len(piece))


def _one_line(draw: random.Random) -> str:
    words = " ".join(draw.choice(list(PROSE.values())) for _ in range(20))
    return (words.replace("\n", " ") + " ") * draw.choice((10, 100))


def _adf(draw: random.Random) -> str:
    """A document of Jira with nodes that do not exist, nodes in wrong places and attributes of wrong types."""
    return json.dumps(
        draw.choice((_node(draw, 6), {"type": "doc", "version": 1, "content": [_node(draw, 6)] * 3}, _tower(draw)))
    )


def _tower(draw: random.Random) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": "the bottom of it all"}
    for _ in range(draw.choice((50, 400))):
        node = {"type": draw.choice(("bulletList", "listItem", "blockquote", "panel", "zorb")), "content": [node]}
    return {"type": "doc", "version": 1, "content": [node]}


def _node(draw: random.Random, depth: int) -> Any:
    kinds = (
        "doc", "paragraph", "heading", "bulletList", "orderedList", "listItem", "taskList", "taskItem", "table",
        "tableRow",
        "tableCell", "tableHeader", "codeBlock", "blockquote", "panel", "expand", "mediaSingle", "media", "inlineCard",
        "mention", "emoji", "status", "date", "decisionList", "rule", "hardBreak", "text", "zorb", "", None, 7,
        ["text"], {"a": 1},
    )  # fmt: skip
    odd_values = (None, 0, -1, 10**30, True, "", "x" * 50, [], {}, ["a"], {"a": {}}, 1.5)
    if depth == 0 or draw.random() < 0.1:
        return draw.choice(
            (None, 3, "text", [], {}, {"type": "text"}, {"type": "text", "text": draw.choice(odd_values)})
        )
    node: dict[str, Any] = {"type": draw.choice(kinds)}
    if draw.random() < 0.8:
        node["content"] = draw.choice(
            ([_node(draw, depth - 1) for _ in range(draw.randint(0, 4))], draw.choice(odd_values))
        )
    if draw.random() < 0.4:
        names = ("level", "state", "text", "language", "url", "title", "timestamp", "localId", "panelType", "width")
        node["attrs"] = draw.choice(({draw.choice(names): draw.choice(odd_values)}, draw.choice(odd_values)))
    if draw.random() < 0.4:
        node["text"] = draw.choice((*PROSE.values(), *odd_values))
    if draw.random() < 0.3:
        node["marks"] = draw.choice(
            ([{"type": draw.choice(("strong", "strike", "link", "zorb"))}], draw.choice(odd_values))
        )
    return node


Maker = Callable[[random.Random], str]
_WRITTEN = (Markup.MARKDOWN, Markup.WIKI, Markup.PLAIN)
KINDS: dict[str, tuple[Maker, bool, tuple[Markup, ...]]] = {
    "spliced": (_spliced, False, _WRITTEN),
    "spliced again": (_spliced, False, _WRITTEN),
    "languages": (_languages, False, _WRITTEN),
    "soup": (_soup, False, _WRITTEN),
    "random": (_random_text, False, _WRITTEN),
    "adf": (_adf, False, (Markup.ADF,)),
    "no adf": (_soup, False, (Markup.ADF,)),
    "log": (_log, True, _WRITTEN),
    "items": (_items, True, _WRITTEN),
    "nested": (_nested, True, _WRITTEN),
    "deep": (_deep, True, _WRITTEN),
    "repeated": (_repeated, True, _WRITTEN),
    "one line": (_one_line, True, _WRITTEN),
}
