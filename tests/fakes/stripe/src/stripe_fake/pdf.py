"""An invoice as the smallest PDF that a reader opens: one page, one font, lines of text."""

from __future__ import annotations

from stripe_fake import html
from stripe_fake.store import Obj


def invoice_pdf(invoice: Obj) -> bytes:
    """The bytes of the PDF; the same invoice gives the same bytes."""
    lines = [
        f"Invoice {invoice['number']}",
        f"{invoice['status'].title()}, {html.date(invoice['created'])}",
        f"Bill to: {invoice['customer_email'] or invoice['customer']}",
        "",
        *(
            f"{line['description']}: {html.money(line['amount'], line['currency'])}"
            for line in invoice["lines"]["data"]
        ),
        "",
        f"Total: {html.money(invoice['total'], invoice['currency'])}",
    ]
    return _document(lines)


def _document(lines: list[str]) -> bytes:
    shown = " ".join(f"({_escape(line)}) Tj T*" for line in lines)
    content = f"BT /F1 12 Tf 16 TL 72 760 Td {shown} ET".encode("latin-1", "replace")
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, start)
    return bytes(out)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
