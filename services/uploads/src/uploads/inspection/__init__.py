"""Is this file what it says, and is it harmless? One module per kind; only the standard library is imported at the top,
because these modules also run in the sandboxed child (`uploads.child`), which has to start fast."""

from uploads.inspection.kinds import KINDS, Kind, kind_of
from uploads.inspection.refusal import Refused
from uploads.inspection.signature import check_declared_type, check_signature
from uploads.inspection.structure import Caps, check_structure

__all__ = ["KINDS", "Caps", "Kind", "Refused", "check_declared_type", "check_signature", "check_structure", "kind_of"]
