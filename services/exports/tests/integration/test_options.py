"""What can be asked of a file: a layout, a page limit, a disclosure, the organisation's own Word template."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

import docx
import httpx
import pypdfium2  # type: ignore[import-untyped]  # it has none
import pytest

from contracts.ai import SectionApproved
from exports.rendering.document import MEDIA_TYPES

from .story import MakeOrg, Org, Proposal

pytestmark = pytest.mark.integration


@pytest.fixture
async def proposal(org: Org) -> Proposal:
    return await org.proposal().written("Some words that fill a line and then some more. " * 300)


def letterhead(text: str = "LETTERHEAD") -> bytes:
    """A Word template as a person would make it."""
    word: Any = docx.Document()
    word.styles["Normal"].font.name = "Georgia"
    word.sections[0].header.paragraphs[0].text = text
    word.add_paragraph("This text is not taken over.")
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


async def put_template(org: Org, data: bytes, kind: str = MEDIA_TYPES["docx"], **claims: Any) -> httpx.Response:
    headers = org.headers(**({"role": "admin"} | claims)) | {"content-type": kind}
    return await org.client.put("/api/exports/template?name=ours.docx", content=data, headers=headers)


class TestLayout:
    async def test_the_answer_counts_the_pages_and_holds_them_against_the_limit(
        self, org: Org, proposal: Proposal
    ) -> None:
        narrow = {"size_pt": 16, "line_spacing": 2, "margin_mm": 40}
        tight = {"size_pt": 8, "line_spacing": 1, "margin_mm": 15, "cover": False, "contents": False, "font": "arial"}

        over = (await org.export(proposal, "pdf", layout=narrow | {"page_limit": 5})).json()
        within = (await org.export(proposal, "pdf", layout=tight | {"page_limit": 5})).json()

        file = pypdfium2.PdfDocument((await org.get(over["url"])).content)
        assert over["pages"] == len(file) > 5
        assert (over["within_page_limit"], within["within_page_limit"]) == (False, True)
        assert within["layout"] == tight | {"page_limit": 5, "paper": None, "language": None}

    async def test_another_limit_is_another_export_of_the_same_file(self, org: Org, proposal: Proposal) -> None:
        one, other, again = [
            (await org.export(proposal, "pdf", layout={"page_limit": limit})).json() for limit in (1, 99, 1)
        ]

        assert one["sha256"] == other["sha256"]
        assert one["id"] == again["id"] != other["id"]
        assert (one["within_page_limit"], other["within_page_limit"]) == (False, True)

    async def test_another_layout_is_another_file_and_none_is_the_same_as_the_defaults(
        self, org: Org, proposal: Proposal
    ) -> None:
        layouts: list[dict[str, Any]] = [{}, {"cover": True, "paper": None}, {"paper": "letter"}, {"language": "de"}]
        hashes = [(await org.export(proposal, "pdf", layout=one)).json()["sha256"] for one in layouts]

        assert hashes[0] == hashes[1]
        assert len(set(hashes)) == 3

    @pytest.mark.parametrize(
        "layout",
        [
            {"paper": "a5"},
            {"margin_mm": 5},
            {"font": "comic"},
            {"size_pt": 11.3},
            {"line_spacing": 3},
            {"language": "en; x"},
            {"page_limit": 0},
            {"page_limit": "5"},
            {"colour": "red"},
        ],
        ids=str,
    )
    async def test_refuses_what_no_template_can_do(self, org: Org, proposal: Proposal, layout: dict[str, Any]) -> None:
        answer = await org.export(proposal, "pdf", layout=layout)

        assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")

    async def test_names_the_characters_that_a_pdf_cannot_show(self, org: Org) -> None:
        proposal = await org.proposal().written("Sumerian \U00012000\U00012000, Chinese 漢字, emoji 😀.")

        export = (await org.export(proposal, "pdf")).json()

        assert export["missing_glyphs"] == [{"character": "\U00012000", "code_point": "U+12000", "count": 2}]


class TestDisclosure:
    async def test_says_what_the_event_told_of_each_paragraph(self, org: Org) -> None:
        proposal = org.proposal()
        section, other = proposal.add("Need", approved_revision=1), proposal.add("Risk", approved_revision=1)
        told = proposal.approval(section, "One.\n\nTwo.").model_dump(mode="json")
        origins = [{"by": "model", "words": 1, "model": "gpt-5"}, {"by": "person", "words": 1}]
        await org.publish(SectionApproved.model_validate(told | {"paragraphs": origins}))
        await org.publish(proposal.approval(other, "Three."))
        await org.publish(proposal.outline())

        with_it = (await org.export(proposal, ai_disclosure=True)).json()
        without = (await org.export(proposal)).json()

        text = (await org.get(with_it["url"])).text
        assert "| Need | Drafted by AI, edited and approved by people (1 of 2 paragraphs by AI) | gpt-5 |" in text
        assert "| Risk | Not recorded | – |" in text
        assert with_it["ai_disclosure"] is True
        assert "artificial intelligence" not in (await org.get(without["url"])).text


class TestTemplate:
    async def test_of_the_org_is_used_and_its_hash_is_part_of_the_identity(self, org: Org, proposal: Proposal) -> None:
        plain = (await org.export(proposal, "docx")).json()
        stored = await put_template(org, letterhead())
        ours = (await org.export(proposal, "docx")).json()
        standard = (await org.export(proposal, "docx", template="standard")).json()
        await put_template(org, letterhead("ANOTHER"))
        replaced = (await org.export(proposal, "docx")).json()

        assert stored.status_code == 200, stored.text
        assert ours["template_sha256"] == stored.json()["sha256"]
        assert standard["sha256"] == plain["sha256"]
        assert len({one["sha256"] for one in (plain, ours, replaced)}) == 3
        word: Any = docx.Document(io.BytesIO((await org.get(ours["url"])).content))
        assert word.sections[0].header.paragraphs[0].text == "LETTERHEAD"
        assert word.styles["Normal"].font.name == "Georgia"
        assert "This text is not taken over." not in [one.text for one in word.paragraphs]
        manifest = (await org.get(f"/api/exports/{ours['id']}/manifest")).json()
        assert manifest["template_sha256"] == ours["template_sha256"]

    async def test_is_seen_by_members_changed_by_admins_and_gone_with_delete(self, org: Org, new_org: MakeOrg) -> None:
        await put_template(org, letterhead())
        stranger = await new_org().created()

        member = await put_template(org, letterhead(), role="member")
        seen = await org.get("/api/exports/template")
        foreign = await stranger.get("/api/exports/template")
        deleted = await org.client.delete("/api/exports/template", headers=org.headers(role="admin"))

        assert (member.status_code, member.json()["error"]) == (403, "role_forbidden")
        assert (seen.status_code, seen.json()["name"]) == (200, "ours.docx")
        assert foreign.json() is None
        assert deleted.status_code == 204
        assert (await org.get("/api/exports/template")).json() is None

    async def test_the_same_file_is_the_same_template(self, org: Org, new_org: MakeOrg) -> None:
        other = await new_org().created()

        hashes = {(await put_template(one, letterhead())).json()["sha256"] for one in (org, other)}

        assert len(hashes) == 1

    @pytest.mark.parametrize(
        ("data", "kind", "status", "error"),
        [
            (b"not a zip", MEDIA_TYPES["docx"], 400, "template_refused"),
            (letterhead(), "application/pdf", 415, "unsupported_media_type"),
            (b"0" * 3 * 1024**2, MEDIA_TYPES["docx"], 413, "body_too_large"),
        ],
        ids=["no zip", "wrong type", "too large"],
    )
    async def test_is_refused(self, org: Org, data: bytes, kind: str, status: int, error: str) -> None:
        answer = await put_template(org, data, kind)

        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert (await org.get("/api/exports/template")).json() is None


class TestManifest:
    async def test_tells_where_the_file_comes_from_and_none_of_it_is_inside(self, org: Org, proposal: Proposal) -> None:
        export = (await org.export(proposal, "docx")).json()

        manifest = (await org.get(f"/api/exports/{export['id']}/manifest")).json()

        content = (await org.get(export["url"])).content
        assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
        assert (manifest["proposal_id"], manifest["requested_by"]) == (str(proposal.id), str(org.user_id))
        assert [one["title"] for one in manifest["sections"]] == ["Section 1"]
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = b"".join(archive.read(name) for name in archive.namelist())
        assert manifest["content_sha256"].encode() in inside
        for secret in (proposal.id, org.user_id, org.org_id, export["id"]):
            assert str(secret).encode() not in inside


class TestVerifyAlteredFile:
    @pytest.mark.parametrize("file_format", ["md", "pdf", "docx"])
    async def test_names_the_export_that_it_was(self, org: Org, proposal: Proposal, file_format: str) -> None:
        export = (await org.export(proposal, file_format)).json()
        content = (await org.get(export["url"])).content
        for data, match in ((content, True), (content + b" ", False)):
            answer = await org.client.post("/api/exports/verify", files={"file": data}, headers=org.headers())

            told = answer.json()
            assert told["match"] is match
            assert (told["export"] or told["altered_from"])["id"] == export["id"]
            assert (told["export"] is None) is not match

    async def test_says_nothing_to_another_org(self, org: Org, proposal: Proposal, new_org: MakeOrg) -> None:
        export = (await org.export(proposal, "pdf")).json()
        content = (await org.get(export["url"])).content
        stranger = await new_org().created()

        answer = await stranger.client.post(
            "/api/exports/verify", files={"file": content + b" "}, headers=stranger.headers()
        )

        assert (answer.json()["match"], answer.json()["altered_from"]) == (False, None)
