"""What a link in a document may point to. A reader follows links only when asked, so most of them are fine."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

_IGNORED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\ufeff]")
"""Readers leave these out of an address before they look at it."""
_RUNS: Final = re.compile(
    r"(?:javascript|vbscript|data|mhtml|mk|ms-its|ms-msdt|ms-officecmd|ms-search|search-ms|search|shell|res|jar|hcp):",
    re.I,
)
_PROGRAM: Final = re.compile(
    r"\.(?:exe|scr|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|msi|jar|lnk|cpl|dll|command)(?:$|[?#])",
    re.I,
)
_LOCAL: Final = re.compile(r"(?:file:|[A-Za-z]:[\\/]|[\\/.])", re.I)
_PARTS: Final = re.compile(r"(file:)?([\\/]*)(.*)", re.I | re.S)
_HERE: Final = re.compile(r"(?:localhost[\\/]|[A-Za-z]:)", re.I)
_REMOTE: Final = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:", re.I)


def runs_something(target: str) -> bool:
    """Whether following the link runs a script or starts a program."""
    plain = _plain(target)
    return bool(_RUNS.match(plain) or (_LOCAL.match(plain) and _PROGRAM.search(plain)))


def on_a_share(target: str) -> bool:
    r"""Whether it is a file on another computer (`\\host\file`, `file://host/file`): opening it sends a login there."""
    parts = _PARTS.match(_plain(target))
    assert parts is not None  # it matches anything
    is_file, slashes, rest = parts.groups()
    if not is_file:
        return len(slashes) >= 2
    return len(slashes) >= 4 or (len(slashes) == 2 and not _HERE.match(rest))


def elsewhere(target: str) -> bool:
    """Whether it is on another computer, not on the reader's own."""
    return on_a_share(target) or bool(_REMOTE.match(_plain(target)))


def _plain(target: str) -> str:
    return _IGNORED.sub("", unquote(target))
