"""Words by which a call obliges, in English and German, and by which one sees what kind of demand it is."""

from __future__ import annotations

import re
from typing import Final, Literal

Kind = Literal["eligibility", "content", "format", "attachment", "deadline"]

_OBLIGES: Final = re.compile(
    r"\b(?:must|shall|should|mandatory|compulsory|may not|may only|can ?not|can only|can't|need(?:s)? to|ha(?:s|ve) to"
    r"|(?:is|are|be|been) (?:required|expected|limited|ineligible|excluded|prohibited|obliged)\b|(?:is"
    r"|are) to (?:be|have|provide|submit|include|use|show)\b"
    r"|requires?\b.{0,40}\b(?:of|from|to)|required to|will need|(?:is|are) due"
    r"|(?:will not|won't|not) be (?:accepted|considered|reviewed|assessed|read|eligible|disregarded|funded|longer)"
    r"|will (?:be (?:disregarded|rejected|cut off)|not (?:pay|fund|accept|consider))"
    r"|(?:is|are) (?:not )?eligible|eligible \w+ (?:is|are)|no longer possible"
    r"|not exceed(?:ing)?|(?:no|not) (?:more|fewer|less|larger|longer) than|at most|at least|a minimum of)\b",
    re.IGNORECASE,
)
_NEEDS: Final = re.compile(
    r"\bneeds? (?:a|an|your|two|three|at least|\d)|\b(?:is|are) (?:needed|required|mandatory)\b"
    r"|\bwe (?:also )?(?:need|ask for|require)\b",
    re.IGNORECASE,
)
_GERMAN: Final = re.compile(
    r"\b(?:muss|müssen|soll|sollen|sollte|sollten|darf|dürfen|verpflichtet|erforderlich|zwingend|verbindlich"
    r"|mindestens|höchstens|spätestens|ausgeschlossen|antragsberechtigt|unzulässig"
    r"|(?:nur|ausschließlich) (?:\w+ ){0,6}?(?:zulässig|zugelassen|zu)|zugelassen sind|nicht (?:berücksichtigt"
    r"|gewertet|förderfähig|zulässig|zugelassen|überschreiten)"
    r"|frist endet|endet am|einzureichen|vorzulegen|beizufügen)\b"
    r"|\b(?:hat|haben|ist|sind)\b[^.]{0,200}?\b(?:zu \w+[et]?n|\w+zu\w{3,}n)\b",
    re.IGNORECASE,
)
_VERBS: Final = (
    "add|agree|append|apply|attach|avoid|begin|bring|choose|clean|complete|confirm|declare|define|deliver"
    "|demonstrate|describe"
    "|design|detail|discuss|document|enclose|enter|ensure|estimate|explain|fill|give|highlight|identify|include"
    "|indicate|insure"
    "|justify|keep|label|list|make sure|map|name|outline|present|prepare|propose|prove|provide|recruit|report"
    "|review|say|send"
    "|set out|show|sign|specify|state|submit|summari[sz]e|supply|tell us|train|upload|use|write|address|do not"
    "|don['’]t|never"
)
_BIDS: Final = re.compile(rf"^(?:please |also )?(?:{_VERBS})\b(?=.*\s)", re.IGNORECASE)
_BIDS_LATER: Final = re.compile(
    rf"(?:^(?:if|where|when|within|for|in)\b[^.]{{5,100}}, (?:please )?|^[A-Z][\w ’'/&-]{{2,50}}: "
    rf"|\bplease )(?:{_VERBS})\b",
    re.IGNORECASE,
)
_BIDS_GERMAN: Final = re.compile(r"(?:^|\bbitte )\w+(?:n|en) sie\b|^bitte\b", re.IGNORECASE)
_OF_THE_FUNDER: Final = re.compile(
    r"^(?:should you\b|(?:we|i) (?:must|need to|have to|should|shall)\b|wir müssen"
    r"|(?:the )?(?:reviewers?|panel|experts?|evaluators?|assessors?|committee|agency|foundation|funder|fund|board"
    r"|ministry|council)\b"
    r"(?!['’]s)[^.]{0,40}\b(?:must|shall|should|will|does not|is not|cannot)\b|(?:fields?|questions?) (?:with"
    r"|marked)\b.{0,12}must"
    r"|attention is|interested (?:firms|parties) may)",
    re.IGNORECASE,
)
_PERMITS: Final = re.compile(
    r"\b(?:is|are) (?:permitted|welcome|encouraged)\b|\bnot (?:required|obligated|obliged|necessary)\b"
    r"|\bno (?:limit|restrictions?)\b"
    r"|\bwould be an advantage\b",
    re.IGNORECASE,
)
_YOU: Final = re.compile(r"\b(?:you|your|ihr|ihre|ihrem|ihren|sie|which|welche\w*|wie|how)\b", re.IGNORECASE)
_DATE: Final = re.compile(
    r"\b\d{1,2}\.?\s+[A-Z][a-zä]{2,8}\.?\s+\d{4}|[A-Z][a-z]{2,8}\.?\s+\d{1,2},?\s+\d{4}|\d{4}-\d\d-\d\d"
    r"|\b\d{1,2}\.\d{1,2}\.\d{4}"
    r"|\bbefore (?:the )?(?:deadline|\d{1,2} [A-Z])"
)
_DUE: Final = re.compile(
    r"\b(?:deadline|due|clos(?:es|ing)|no later than|not later than|at the latest|received by"
    r"|submit(?:ted)? (?:by|before)"
    r"|delivered (?:\w+ ){0,5}by|before|frist|spätestens)|frist\b",
    re.IGNORECASE,
)
_ATTACHED: Final = re.compile(
    r"\b(?:attach(?:ed|ments?)?|annex(?:es|ed)?|append(?:ed|ix|ices)?|enclos(?:e|ed|ures?)|upload(?:ed)?"
    r"|letters? of (?:support|commitment|collaboration|intent)|certificates?|(?:annual|audited|latest"
    r"|recent) accounts|bank statement"
    r"|curricul(?:um|a) vitae|CVs?|biographical sketch(?:es)?|supporting documents?|forecast instead|photographs?"
    r"|formblatt|nachweise?|vorzulegen|beizufügen|nachzureichen|anlagen?|lebensläufe|referenzen)\b",
    re.IGNORECASE,
)
_FORM: Final = re.compile(
    r"\b(?:fonts?|typeface|margins?|line spacing|single[- ]spaced|double[- ]spaced|\d{1,2}[- ]?point|PDF|A4"
    r"|portal|plattform"
    r"|electronically|elektronisch|e-?mail|fax|file names?|files?|page numbers?|numbered pages|paper submissions?"
    r"|handwritten|readable"
    r"|word limits?|signed by|late (?:tenders?|proposals?|applications?)|e-tendering|funding service|images"
    r"|(?:in|into) (?:English|French|German|Spanish|deutscher Sprache)|(?:tenderers|bidders) must not alter|seiten)\b",
    re.IGNORECASE,
)
_WHO_MAY: Final = re.compile(
    r"\b(?:in)?eligib(?:le|ility)\b|\b(?:applicants?|organi[sz]ations?|institutions?|consorti(?:um|a)|partners?"
    r"|firms?|proposers?"
    r"|tenderers?|bidders?|groups?|schools?|bieter\w*)\s+(?:must|shall|should|may not|may only|cannot"
    r"|need(?:s)? to|have to|has to"
    r"|needs?|muss|müssen|haben)\b(?! (?:also )?(?:submit|describe|provide|include|explain|address|justify|discuss))"
    r"|\blegal (?:entity|entities|form|personality)\b|\bregistered in\b|\bsole traders?\b|\bzugelassen sind\b"
    r"|\binsolvenz",
    re.IGNORECASE,
)


def bids(text: str) -> bool:
    """Whether it tells the reader to do something."""
    return bool(_BIDS.search(text) or _BIDS_LATER.search(text) or _BIDS_GERMAN.search(text))


def obliges(text: str) -> bool:
    """Whether somebody who answers the call has to do, to be or to leave something."""
    if _OF_THE_FUNDER.search(text):
        return False
    obliging = _OBLIGES.search(text) or _NEEDS.search(text) or _GERMAN.search(text)
    return bool(obliging) and not (_PERMITS.search(text) and not re.search(r"\b(?:must|shall|are to|is to)\b", text))


def asks(text: str) -> bool:
    """Whether it is a question to whoever answers the call."""
    return text.rstrip().endswith("?") and len(text.split()) >= 5 and _YOU.search(text) is not None


def is_due(text: str) -> bool:
    """Whether it names the day by which something has to be there."""
    return _DUE.search(text) is not None and _DATE.search(text) is not None


def kind_of(text: str, *, told: bool, limited: bool, about_eligibility: bool) -> Kind:
    """What kind of demand it is; `told` when it tells the reader to do something, so that its limit is not all."""
    if is_due(text):
        return "deadline"
    if about_eligibility or _WHO_MAY.search(text):
        return "eligibility"
    if _ATTACHED.search(text):
        return "attachment"
    if _FORM.search(text) or (limited and not told):
        return "format"
    return "content"
