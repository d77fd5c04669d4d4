"""Citations: which source a claim rests on, whether the source says it, and which claims have none."""
