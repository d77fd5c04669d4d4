"""``./bidwright doctor``: looks for each symptom of the runbook, and says cause and fix.

A check is a small function that is given the subject and yields findings; it raises ``CannotCheck`` when it cannot
know. ``registry`` lists them all; ``command`` asks them at the same time, with a limit, and prints what they say.
"""
