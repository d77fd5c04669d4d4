"""What any service needs and none owns: settings, database, outbox, inbox, bus,
jobs, identity, errors, telemetry, health.

Business-free on purpose: nothing here knows a tier, a proposal or a file.
"""
