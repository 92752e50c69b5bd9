"""The demo's people and reference data. Everything here may run again: what exists is kept."""
