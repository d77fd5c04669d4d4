"""Provenance: for each paragraph of a section, whether people, a model or both wrote it, and when."""
