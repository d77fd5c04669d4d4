"""What models are told: one file a prompt and version.

A generation keeps the name and the checksum of the prompt that it came from, so a file that was used is never changed:
a better wording is a new file with the next version. `CHECKSUMS` holds what each must be; the loader compares.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from ai.providers.port import PromptRef

CURRENT: Final = {"write": 2, "revise": 1, "plan": 1, "repair": 1}
"""The version of each prompt that is used now."""
CHECKSUMS: Final = {
    "plan.v1": "e272454d58e55720eead8030423295365de449b3055d871a7a990136d3ac6b91",
    "repair.v1": "432813803037cb0d9650bf2a20e1c2dd20d3be7748b9ccd49418fb429e470bf9",
    "revise.v1": "e5df2f1be4780391ee6a6220c5f32c4210b5cdae89400d6cb1e3b05c0ce30c5c",
    "write.v1": "8e540191dc0f043b831516323a2d5da5f3f4c1d2f280a41098b88f35b837b1e1",
    "write.v2": "8afdf4746a08fe7c7ba4895b62a7fe779a3da948ecded2f57f0f7e1b98e93880",
}


class PromptChanged(Exception):
    """A prompt's file is not what its checksum says: give a new wording a new version."""


@cache
def load(name: str) -> tuple[PromptRef, str]:
    """The current prompt of a name, and its words. Raises PromptChanged."""
    return load_version(f"{name}.v{CURRENT[name]}")


def load_version(full_name: str) -> tuple[PromptRef, str]:
    """The prompt of a name and version, such as `write.v1`. Raises PromptChanged."""
    raw = files(__name__).joinpath(f"{full_name}.md").read_bytes()
    checksum = hashlib.sha256(raw).hexdigest()
    if CHECKSUMS.get(full_name) != checksum:
        raise PromptChanged(full_name)
    return PromptRef(full_name, checksum), raw.decode()


@cache
def rules_of(*modules: str) -> PromptRef:
    """What stands for a prompt where plain rules write: the checksum of the modules that hold them."""
    digest = hashlib.sha256()
    for module in modules:
        package, _, name = module.rpartition(".")
        digest.update(files(package).joinpath(f"{name}.py").read_bytes())
    return PromptRef("local-rules", digest.hexdigest())
