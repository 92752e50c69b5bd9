"""Transaction cost analysis: what orders cost, from the journal and the recorded market. The formulas: docs/tca.md."""
