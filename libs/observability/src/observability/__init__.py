"""What on-call sees: the signals that there are, the alerts on them, and the dashboards.

`observability/` holds the data (schema, journeys, symptoms) and what `python -m observability` writes from it.
"""
