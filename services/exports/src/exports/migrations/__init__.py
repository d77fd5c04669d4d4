"""The schema's versions, run by `python -m exports.main migrate` as the schema's owner."""
