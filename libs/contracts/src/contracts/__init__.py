"""The events that Bidwright's services tell each other, one module per producer, and the public routes.

Nothing here does I/O. A field may be added to an event; removing or changing one makes a `.v2` beside the `.v1`.
"""

from contracts.base import CATALOGUE, SERVICES, Event, EventMeta, load

__all__ = ["CATALOGUE", "SERVICES", "Event", "EventMeta", "load"]
