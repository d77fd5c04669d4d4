"""What an operator does with billing by hand: `python -m billing.operate`, with the worker's environment."""
