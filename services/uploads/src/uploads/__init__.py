"""Documents in: checked, stored, read."""
