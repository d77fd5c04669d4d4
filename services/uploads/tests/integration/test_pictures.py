"""A picture is handed out as we have encoded it: what is seen, and nothing else that was in the file."""

from __future__ import annotations

import asyncio
import hashlib
import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image, ImageCms
from sqlalchemy import text

from common.db import Tenant
from uploads import storing
from uploads.bootstrap import open_deps
from uploads.deps import Deps

pytestmark = pytest.mark.integration

Files = Callable[[UUID], list[Path]]
SECRET = b"taken at 50.0755 N, 14.4378 E by Ada"


def photo() -> bytes:
    """Red above blue as a phone holds it: lying on its side, with place, owner and a colour profile."""
    image = Image.new("RGB", (60, 40), "red")
    image.paste("blue", (30, 0, 60, 40))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, SECRET.decode()
    out = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(out, "JPEG", exif=exif, comment=SECRET, icc_profile=profile, quality=95)
    return out.getvalue()


def screenshot() -> bytes:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", SECRET.decode())
    out = io.BytesIO()
    Image.new("RGBA", (30, 20), (0, 128, 0, 100)).save(out, "PNG", pnginfo=notes, dpi=(144, 144))
    return out.getvalue()


async def picture(ada: Any, upload_id: str) -> Any:
    """The answer once it is made."""
    async with asyncio.timeout(20):
        while True:
            answer = await ada.get(f"/api/uploads/{upload_id}/file")
            if answer.status_code != 409:
                return answer
            assert answer.json()["error"] == "not_yet_consistent"
            assert int(answer.headers["retry-after"]) >= 1
            await asyncio.sleep(0.1)


class TestPictures:
    async def test_a_photo_comes_upright_and_without_its_notes(
        self, caller: Any, workers: Any, files_of: Files
    ) -> None:
        ada, data = caller(), photo()
        upload = (await ada.upload(data, "photo.jpg", content_type="image/jpeg")).json()
        # Before it is made, the original is not handed out either.
        assert (await ada.get(f"/api/uploads/{upload['id']}/file")).status_code == 409
        await workers.start()
        answer = await picture(ada, upload["id"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        for unwanted in (SECRET, b"Exif", b"ICC_PROFILE"):
            assert unwanted not in answer.content
        assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"' != f'"{upload["sha256"]}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]
        shown = Image.open(io.BytesIO(answer.content))
        assert shown.size == (40, 60)
        red, blue = shown.getpixel((20, 5)), shown.getpixel((20, 55))
        assert red[0] > 240 > 20 > red[2]
        assert blue[2] > 240 > 20 > blue[0]
        part = await ada.get(f"/api/uploads/{upload['id']}/file", Range="bytes=2-9")
        assert (part.status_code, part.content) == (206, answer.content[2:10])
        assert upload["size"] == len(data)  # what is kept, and what is charged, is the original
        assert len(files_of(ada.org_id)) == 2
        await ada.delete(f"/api/uploads/{upload['id']}")
        assert files_of(ada.org_id) == []

    async def test_a_screenshot_keeps_its_pixels(self, caller: Any, workers: Any) -> None:
        ada = caller()
        await workers.start()
        upload = (await ada.upload(screenshot(), "a.png")).json()
        answer = await picture(ada, upload["id"])
        assert SECRET not in answer.content
        shown = Image.open(io.BytesIO(answer.content))
        assert (shown.mode, shown.size, shown.getpixel((3, 3))) == ("RGBA", (30, 20), (0, 128, 0, 100))
        assert "dpi" not in shown.info

    async def test_the_same_picture_twice_has_one_such_version(
        self, caller: Any, workers: Any, files_of: Files
    ) -> None:
        ada, data = caller(), photo()
        await workers.start()
        uploads = [(await ada.upload(data, f"{n}.jpg")).json() for n in range(2)]
        for upload in uploads:
            await picture(ada, upload["id"])
        assert len(files_of(ada.org_id)) == 2
        await ada.delete(f"/api/uploads/{uploads[0]['id']}")
        assert (await picture(ada, uploads[1]["id"])).status_code == 200

    async def test_one_of_before_is_made_when_it_is_asked_for(self, caller: Any, workers: Any, deps: Deps) -> None:
        ada = caller()
        upload = (await ada.upload(photo(), "a.jpg")).json()
        async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
            await uow.session.execute(text("DELETE FROM jobs"))
            await uow.commit()
        for _ in range(3):
            assert (await ada.get(f"/api/uploads/{upload['id']}/file")).status_code == 409
        async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
            assert await uow.session.scalar(text("SELECT count(*) FROM jobs")) == 1
        await workers.start()
        assert (await picture(ada, upload["id"])).status_code == 200

    async def test_one_that_cannot_be_made_says_so(
        self, caller: Any, workers: Any, deps: Deps, files_of: Files
    ) -> None:
        ada = caller()
        upload = (await ada.upload(photo(), "a.jpg")).json()
        async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
            await uow.session.execute(text("UPDATE jobs SET max_attempts = 1 WHERE kind = 'picture'"))
            await uow.commit()
        files_of(ada.org_id)[0].write_bytes(b"no picture any more")
        await workers.start()
        answer = None
        async with asyncio.timeout(20):
            while answer is None or answer.json()["error"] == "not_yet_consistent":
                answer = await ada.get(f"/api/uploads/{upload['id']}/file")
                await asyncio.sleep(0.1)
        assert (answer.status_code, answer.json()["error"]) == (409, "cannot_be_shown")

    async def test_a_kill_while_it_is_made_leaves_nothing_once_the_upload_is_deleted(
        self, caller: Any, workers: Any, deps: Deps, make_settings: Any, database: Any, files_of: Files
    ) -> None:
        ada, data = caller(), photo()
        upload = (await ada.upload(data, "a.jpg")).json()
        first = await workers.start()
        await picture(ada, upload["id"])
        await workers.stop(first, signal.SIGKILL)
        # As if it had been killed between the write and its commit, and the upload deleted meanwhile.
        async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
            await uow.session.execute(
                text("UPDATE jobs SET status = 'queued', finished_at = NULL, attempt = 0 WHERE kind = 'picture'")
            )
            await uow.commit()
        await ada.delete(f"/api/uploads/{upload['id']}")
        await deps.store.put_at(storing.shown_key(ada.org_id, upload["sha256"]), b"late")
        await workers.start()

        async def done() -> bool:
            async with deps.db.unit_of_work(Tenant(org_id=ada.org_id)) as uow:
                return await uow.session.scalar(text("SELECT status FROM jobs WHERE kind = 'picture'")) == "succeeded"

        async with asyncio.timeout(30):
            while not await done():  # noqa: ASYNC110  # the worker makes it true
                await asyncio.sleep(0.1)
        async with open_deps(make_settings(database.worker_url)) as opened:
            await storing.sweep(opened)
        assert files_of(ada.org_id) == []
