"""Images: one page, read by OCR."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from uploads.extraction.pages import PAGE_CHARACTERS, ExtractedPage, Options, clean


def read(path: Path, options: Options) -> Iterator[ExtractedPage]:
    """The one page of an image; nothing when OCR of images is off."""
    if not options.ocr_image:
        return
    from PIL import Image, ImageOps

    from uploads.extraction.ocr import recognise, shrunk

    Image.MAX_IMAGE_PIXELS = None  # the inspection has capped it
    with Image.open(path) as image:
        image.draft("L", image.size)  # JPEG: decode straight to grey
        upright = shrunk(image, options.ocr_pixels)
        ImageOps.exif_transpose(upright, in_place=True)  # each copy of a page at 300 dpi would be 9 MB
        if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
            flat = Image.new("RGBA", upright.size, "white")
            flat.alpha_composite(upright.convert("RGBA"))
            upright = flat
        text = recognise(upright if upright.mode == "L" else upright.convert("L"), options)
    yield ExtractedPage(1, clean(text)[:PAGE_CHARACTERS], ocr=True, total=1)
