"""Text comes out page by page, from every kind, and a bomb kills only its child."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from uploads import sandbox
from uploads.extraction import ExtractedPage, Options
from uploads.inspection.kinds import KindName

Put = Callable[[str, str], Path]
LIMITS = sandbox.Limits(memory_bytes=1 << 30, total_seconds=60, silent_seconds=60)
SENTENCE = "The applicant shall describe the work plan, the budget and the expected outcome."


async def read(kind: KindName, path: Path, options: Options | None = None) -> list[ExtractedPage]:
    return [page async for page in sandbox.extract(kind, path, options or Options(), LIMITS)]


def flat(text: str) -> str:
    return " ".join(text.split())


class TestPdf:
    async def test_a_text_layer_is_read_with_page_numbers(self, put: Put) -> None:
        (page,) = await read("pdf", put("pdf", "call.pdf"))
        assert (page.number, page.total, page.ocr) == (1, 1, False)
        assert flat(page.text) == f"{SENTENCE} Page 1."

    @pytest.mark.parametrize("name", ["scan", "scan upside down"])
    async def test_a_scan_is_read_whichever_way_up(self, put: Put, name: str) -> None:
        (page,) = await read("pdf", put(name, "scan.pdf"))
        assert page.ocr
        assert flat(page.text) == SENTENCE

    async def test_a_scan_stays_empty_without_ocr(self, put: Put) -> None:
        (page,) = await read("pdf", put("scan", "scan.pdf"), Options(ocr_pdf=False))
        assert page == ExtractedPage(1, "", ocr=False, total=1)

    async def test_a_bomb_kills_only_the_child(self, put: Put) -> None:
        path = put("pdf bomb", "bomb.pdf")
        started = time.monotonic()
        with pytest.raises(sandbox.ChildFailed):
            await read("pdf", path)
        assert time.monotonic() - started < 15

    async def test_a_child_that_takes_too_long_is_stopped(self, put: Put) -> None:
        path = put("scan", "scan.pdf")
        with pytest.raises(sandbox.ChildFailed) as failed:
            async for _ in sandbox.extract("pdf", path, Options(), sandbox.Limits(total_seconds=0.3)):
                pass
        assert failed.value.failure == "time"


class TestDocx:
    async def test_paragraphs_tables_and_footnotes_are_read(self, tmp_path: Path) -> None:
        import docx

        document = docx.Document()
        document.add_heading("Work plan", 1)
        document.add_paragraph("First page.")
        table = document.add_table(1, 2)
        table.cell(0, 0).text, table.cell(0, 1).text = "Item", "Cost"
        document.add_page_break()  # type: ignore[no-untyped-call]
        document.add_paragraph("Second page.")
        path = tmp_path / "plan.docx"
        document.save(str(path))
        first, second = await read("docx", path)
        assert first.text == "Work plan\nFirst page.\nItem | Cost"
        assert (second.number, second.text) == (2, "Second page.")


class TestText:
    async def test_both_encodings_are_read(self, put: Put) -> None:
        assert [page.text for page in await read("text", put("text", "a.txt"))] == [SENTENCE]
        assert [page.text for page in await read("text", put("text in utf-16", "b.txt"))] == [SENTENCE]

    async def test_a_long_text_is_cut_at_line_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "long.txt"
        path.write_text("".join(f"Line {number} of a long text.\n" for number in range(9_000)))
        pages = await read("text", path)
        assert [page.number for page in pages] == [1, 2, 3]
        assert "\n".join(page.text for page in pages) == path.read_text().strip()


class TestImage:
    async def test_a_picture_of_a_page_is_read(self, put: Put, tmp_path: Path) -> None:
        import pypdfium2  # type: ignore[import-untyped]

        picture = pypdfium2.PdfDocument(put("scan", "scan.pdf"))[0].render(scale=2).to_pil()
        picture.save(tmp_path / "scan.png")
        (page,) = await read("png", tmp_path / "scan.png")
        assert page.ocr
        assert flat(page.text) == SENTENCE

    @pytest.mark.parametrize("turn", [0, 90, 180, 270])
    def test_it_is_turned_a_strip_at_a_time(self, turn: int) -> None:
        from PIL import Image

        from uploads.extraction.ocr import strips

        picture = Image.effect_noise((700, 530), 60)
        assert b"".join(strips(picture, turn)) == picture.rotate(turn, expand=True).tobytes()

    async def test_a_noisy_one_is_read_from_a_smaller_copy(self, put: Put, tmp_path: Path) -> None:
        import pypdfium2
        from PIL import Image, ImageChops

        clean = pypdfium2.PdfDocument(put("scan", "scan.pdf"))[0].render(scale=300 / 72).to_pil().convert("L")
        noise = Image.effect_noise(clean.size, 40)
        ImageChops.add(clean, noise, 1, -128).save(tmp_path / "noisy.png")
        (page,) = await read("png", tmp_path / "noisy.png")
        assert flat(page.text) == SENTENCE

    async def test_nothing_is_read_when_ocr_of_images_is_off(self, put: Put) -> None:
        assert await read("png", put("png", "a.png"), Options(ocr_image=False)) == []
