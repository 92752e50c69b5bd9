"""Studies of recorded prices: `python -m engine study NAME ...`. Research, beside the trading and never in it."""
