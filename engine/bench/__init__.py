"""Benchmarks: each measures one part of the engine, prints what it found, and says what it was measured against."""
