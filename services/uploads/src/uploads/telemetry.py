"""The names of this service's signals."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

ACCEPTED = Counter("bidwright_uploads_accepted", "Files stored", ["kind"])
REFUSED = Counter("bidwright_uploads_refused", "Files refused", ["error"])
RECEIVED_BYTES = Counter("bidwright_uploads_received_bytes", "Bytes of files received, refused ones too")
EXTRACTED = Counter("bidwright_uploads_extracted", "Files read", ["kind", "status", "reason"])
PAGES = Counter("bidwright_uploads_pages", "Pages read", ["ocr"])
EXTRACTION_SECONDS = Histogram(
    "bidwright_uploads_extraction_seconds",
    "Seconds to read one file",
    ["kind"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900),
)
PICTURES = Counter("bidwright_uploads_pictures", "Pictures encoded anew for download")
SCANS = Counter(
    "bidwright_uploads_scans", "Files by what the virus scanner said: clean, infected, error, skipped", ["verdict"]
)
SWEPT = Counter("bidwright_uploads_swept", "What kills left behind, removed", ["what"])

UPLOAD_ACCEPTED = "upload.accepted"
UPLOAD_REFUSED = "upload.refused"
UPLOAD_DELETED = "upload.deleted"
UPLOAD_EXTRACTED = "upload.extracted"
UPLOAD_PAGE_SKIPPED = "upload.page_skipped"
ORG_ERASED = "upload.org_erased"
SWEEP_REMOVED = "upload.sweep_removed"
