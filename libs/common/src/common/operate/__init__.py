"""What an operator does by hand with jobs and events of any service: `python -m common.operate`."""
