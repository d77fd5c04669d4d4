"""AI requests: accepting one within the limits, running it as a job, and streaming what it writes."""
