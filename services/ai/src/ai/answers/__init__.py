"""The answer library: what an org has approved once and can say again."""
