"""The service's own copy of what each org has bought, and the ledger of what it has used."""
