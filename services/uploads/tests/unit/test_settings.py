"""A wrong setting stops the start with one line that names its key."""

from __future__ import annotations

import pytest

from common.settings import SettingsError, read
from uploads.settings import Settings

NEEDED = {
    "SECRET_KEY": "s" * 32,
    "PORT": "0",
    "DATABASE_URL": "postgresql://x",
    "NATS_URL": "nats://x",
}


class TestSettings:
    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("ALLOWED_UPLOAD_EXTENSIONS", "pdf,exe", "ALLOWED_UPLOAD_EXTENSIONS: there is no check for .exe"),
            ("VIRUSSCAN_CMD", "clamscan", "VIRUSSCAN_CMD: has no {path}"),
            ("VIRUSSCAN_CMD", "scan '{path}", "VIRUSSCAN_CMD: cannot be split"),
            ("VIRUSSCAN_CMD", "clamd://", "VIRUSSCAN_CMD: clamd:// needs a host"),
            ("OCR_LANGUAGES", "eng;rm", "OCR_LANGUAGES: "),
            ("FILE_UPLOAD_MAX_BYTES", "-1", "FILE_UPLOAD_MAX_BYTES: "),
        ],
    )
    def test_a_bad_value_names_its_key(
        self, monkeypatch: pytest.MonkeyPatch, key: str, value: str, message: str
    ) -> None:
        for name, default in {**NEEDED, key: value}.items():
            monkeypatch.setenv(name, default)
        with pytest.raises(SettingsError) as error:
            read(Settings)
        assert str(error.value).startswith(message)

    def test_lists_are_read_as_people_write_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lists = {"ALLOWED_UPLOAD_EXTENSIONS": " .PDF, txt ", "OCR_LANGUAGES": "eng,deu"}
        for name, value in {**NEEDED, **lists}.items():
            monkeypatch.setenv(name, value)
        settings = read(Settings)
        assert settings.allowed_upload_extensions == ("pdf", "txt")
        assert settings.ocr_languages == "eng+deu"

    def test_ours_is_a_part_of_the_object_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {**NEEDED, "STORAGE_URL": "file:///data/objects"}.items():
            monkeypatch.setenv(name, value)
        settings = read(Settings)
        assert settings.objects_url == "file:///data/objects/uploads"
        assert str(settings.staging_dir) == "/data/objects/uploads/.staging"
        monkeypatch.setenv("STORAGE_URL", "s3://bucket/prefix")
        assert read(Settings).objects_url == "s3://bucket/prefix/uploads"
        assert read(Settings).objects_dir is None
