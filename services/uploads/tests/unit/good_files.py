"""Sound files as the programs that people use write them: (name, filename, how it is made).

Those of LibreOffice and Chromium are in `good_programs`, because they need the program.
"""

from __future__ import annotations

from . import good_documents, good_pdfs, good_pictures
from .builders import TEXT
from .checking import Good

_TEXTS: list[Good] = [
    ("utf-8", "a.txt", lambda: "Förderung, 申请, طلب, 🙂\r\n\tx\f".encode()),
    ("utf-8 with a mark", "a.txt", lambda: TEXT.encode("utf-8-sig")),
    ("utf-16", "a.txt", lambda: "Förderung 🙂".encode("utf-16")),
    ("utf-16, other order", "a.txt", lambda: b"\xfe\xff" + TEXT.encode("utf-16-be")),
    ("markup", "Notes v2.1 (final).txt", lambda: b"<script>alert(1)</script> MZ is two letters, BM too"),
    ("begins as a program", "a.txt", lambda: b"MZ is short for Mark Zbikowski; #! for a script"),
    ("one line of two megabytes", "a.txt", lambda: "ä".encode() * (1 << 20)),
]
GOOD: list[Good] = [*good_pdfs.GOOD, *good_documents.GOOD, *good_pictures.GOOD, *_TEXTS]
