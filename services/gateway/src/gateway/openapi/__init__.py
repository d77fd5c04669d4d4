"""One document of all services."""
