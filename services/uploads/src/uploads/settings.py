"""What the uploads service reads from its environment. See docs: settings."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from common.settings import ServiceSettings
from uploads.inspection.kinds import KINDS


class Settings(ServiceSettings):
    """Sizes are bytes, times are seconds."""

    SERVICE: ClassVar[str] = "uploads"

    storage_url: str = "file://.bidwright/objects"
    upload_staging_dir: str = ""
    """Where a file lies until its verdict. Empty: in a local object store, else in the machine's temporary folder."""

    file_upload_max_bytes: int = Field(default=10 * 1024 * 1024, ge=1)
    file_upload_max_memory_size: int = Field(default=1024 * 1024, ge=4096)
    upload_resumable_seconds: int = Field(default=86_400, ge=60)
    """How long an upload in pieces is kept after its last piece, so that one can go on the next day."""
    allowed_upload_extensions: Annotated[tuple[str, ...], NoDecode] = tuple(KINDS)
    quota_storage_bytes_free: int = Field(default=100 * 1024 * 1024, ge=0)
    """What an org has of whom billing has not said anything yet."""

    text_extraction_max_bytes: int = Field(default=8 * 1024 * 1024, ge=0)
    text_extraction_timeout_seconds: float = Field(default=900, gt=0)
    text_extraction_memory_bytes: int = Field(default=1 << 30, ge=64 << 20)
    ocr_image: bool = True
    ocr_pdf: bool = True
    ocr_languages: str = Field(default="eng", pattern=r"^[A-Za-z_]+([+,][A-Za-z_]+)*$")
    """Tesseract's names, joined by + (or a comma)."""

    virusscan_cmd: str = ""
    virusscan_timeout_seconds: float = Field(default=10, gt=0)

    @field_validator("allowed_upload_extensions", mode="before")
    @classmethod
    def _split_extensions(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = tuple(part.strip().lower().removeprefix(".") for part in value.split(",") if part.strip())
        if unknown := [name for name in names if name not in KINDS]:
            raise ValueError(f"there is no check for .{unknown[0]}; choose from {','.join(KINDS)}")
        return names

    @field_validator("ocr_languages")
    @classmethod
    def _join_languages(cls, value: str) -> str:
        return value.replace(",", "+")

    @field_validator("virusscan_cmd")
    @classmethod
    def _check_scan_command(cls, value: str) -> str:
        if value.startswith("clamd://"):
            if not urlsplit(value).hostname:
                raise ValueError("clamd:// needs a host, for example clamd://127.0.0.1:3310")
            return value
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"cannot be split into words: {error}") from error
        if words and not any("{path}" in word for word in words[1:]):
            raise ValueError("has no {path} among its arguments, so nothing would be scanned")
        return value

    @property
    def objects_url(self) -> str:
        """The part of the object store that is ours; exports keep theirs beside it."""
        return f"{self.storage_url.rstrip('/')}/uploads"

    @property
    def objects_dir(self) -> Path | None:
        """The same as a local folder, when it is one."""
        parts = urlsplit(self.objects_url)
        return Path(parts.netloc + parts.path).resolve() if parts.scheme == "file" else None

    @property
    def staging_dir(self) -> Path:
        """Where files lie until their verdict."""
        if self.upload_staging_dir:
            return Path(self.upload_staging_dir).resolve()
        if self.objects_dir is not None:
            return self.objects_dir / ".staging"
        return Path(tempfile.gettempdir()) / "bidwright-uploads"
