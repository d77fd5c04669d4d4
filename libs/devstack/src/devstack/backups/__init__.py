"""``./bidwright backup`` and ``restore``: the production scripts run on a stack, and the way back.

``artifacts`` finds, checks and opens what the scripts wrote; ``backup`` and ``restore`` are the commands; ``database``,
``objects`` and ``messages`` are the three things that are put back.
"""
