"""Failovers of a real cluster while users write and listen: `make ha`."""
