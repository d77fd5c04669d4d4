"""A picture encoded anew: what is seen, the right way up, and nothing else that was in the file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

    from uploads.inspection.kinds import KindName

_FORMATS: Final = {"png": "PNG", "jpeg": "JPEG"}
_JPEG_QUALITY: Final = 90
_PROFILED: Final = frozenset({"RGB", "L", "CMYK"})


def encode(kind: KindName, source: Path, target: Path) -> None:
    """Writes the picture to `target` in its own format: turned as its notes say, without notes, in sRGB."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the inspection has capped it
    with Image.open(source, formats=[_FORMATS[kind]]) as image:
        profile = image.info.get("icc_profile")
        upright = _in_srgb(ImageOps.exif_transpose(image), profile)
    # What the encoders would copy into the file: notes, resolution, profile. A palette's transparency is the picture's.
    upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
    if kind == "jpeg":
        upright = upright if upright.mode in {"L", "RGB"} else upright.convert("RGB")
        upright.save(target, "JPEG", quality=_JPEG_QUALITY, exif=b"")
    else:
        upright.save(target, "PNG", exif=b"")


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """The same colours without the profile that says which they are; a profile of no use is left out."""
    if profile and image.mode in _PROFILED:
        from PIL import ImageCms

        try:
            turned = ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            return image
        return turned or image
    return image
