"""The one place where the parts of uploads are built, for the API, the worker and the tests alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from common.clock import Clock
from common.parts import open_parts
from common.storage import ObjectStore
from uploads.deps import Deps
from uploads.extraction import Options
from uploads.inspection import Caps
from uploads.sandbox import Limits
from uploads.scan import CountedScanner, scanner_for
from uploads.settings import Settings
from uploads.staging import Staging

INSPECTIONS_AT_ONCE: Final = 4
"""Children that check files, for one process: each may take memory of its own."""
INSPECTION_LIMITS: Final = Limits(memory_bytes=768 << 20, total_seconds=14, silent_seconds=14)
BUFFER_BYTES_AT_MOST: Final = 1 << 20
SILENT_SECONDS: Final = 320.0
"""Longer than the slowest page: five OCR runs of one that stands on its head."""


@asynccontextmanager
async def open_deps(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Deps]:
    """Builds everything from the settings, and closes it in reverse."""
    async with open_parts(settings, clock=clock) as parts:
        yield Deps(
            clock=parts.clock,
            db=parts.db,
            bus=parts.bus,
            settings=settings,
            store=ObjectStore(settings.objects_url),
            staging=Staging(
                settings.staging_dir,
                objects=settings.objects_dir,
                buffer_bytes=min(settings.file_upload_max_memory_size, BUFFER_BYTES_AT_MOST),
            ),
            scanner=CountedScanner(scanner_for(settings.virusscan_cmd, settings.virusscan_timeout_seconds)),
            inspections=asyncio.Semaphore(INSPECTIONS_AT_ONCE),
            inspection_caps=Caps(),
            inspection_limits=INSPECTION_LIMITS,
            extraction_options=Options(
                ocr_pdf=settings.ocr_pdf, ocr_image=settings.ocr_image, ocr_languages=settings.ocr_languages
            ),
            extraction_limits=Limits(
                memory_bytes=settings.text_extraction_memory_bytes,
                total_seconds=settings.text_extraction_timeout_seconds,
                silent_seconds=min(settings.text_extraction_timeout_seconds, SILENT_SECONDS),
            ),
        )
