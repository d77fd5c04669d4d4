"""A refusal of a file, before it becomes an HTTP answer."""

from __future__ import annotations

from typing import Literal, get_args

Code = Literal[
    "extension_not_allowed",
    "mismatched_signature",
    "mismatched_content_type",
    "malformed_file",
    "active_content",
    "encrypted_file",
    "empty_file",
    "infected",
    "scan_error",
]
CODES: tuple[Code, ...] = get_args(Code)


class Refused(Exception):
    """The file is not accepted; `code` is stable, `detail` tells the person what to do."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code: Code = code
        self.detail = detail
