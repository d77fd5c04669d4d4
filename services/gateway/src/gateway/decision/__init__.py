"""The decision that Envoy asks for before it routes anything."""
