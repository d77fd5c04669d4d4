"""Makes `pieces.txt` and `vectors.bin` from the wheel of wordllama (0.4.0.post1), unpacked into a folder:

    pip download --no-deps wordllama==0.4.0.post1 && unzip -d wheel wordllama-*.whl
    python make.py wheel

`vectors.bin`: for each piece a little-endian float32 scale, then 128 signed bytes.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Final

DIMENSIONS: Final = 128
"""The model was trained so that its first 64, 128 and 256 numbers are each a whole embedding (docs/decisions/0010)."""


def main(wheel: Path, target: Path) -> None:
    """Writes both files."""
    tokenizer = json.loads((wheel / "wordllama/tokenizers/l2_supercat_tokenizer_config.json").read_text("utf-8"))
    pieces = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].__getitem__)
    (target / "pieces.txt").write_text("\n".join(json.dumps(piece)[1:-1] for piece in pieces) + "\n", "ascii")
    raw = (wheel / "wordllama/weights/l2_supercat_256.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    [tensor] = [entry for name, entry in json.loads(raw[8 : 8 + length]).items() if name != "__metadata__"]
    rows, width = tensor["shape"]
    code, size = {"F16": ("e", 2), "F32": ("f", 4)}[tensor["dtype"]]
    start = 8 + length + tensor["data_offsets"][0]
    with (target / "vectors.bin").open("wb") as out:
        for row in range(rows):
            numbers = struct.unpack_from(f"<{DIMENSIONS}{code}", raw, start + row * width * size)
            scale = max(map(abs, numbers)) / 127 or 1.0
            out.write(struct.pack(f"<f{DIMENSIONS}b", scale, *(round(number / scale) for number in numbers)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
