"""Benchmarks, started by hand. They are not part of the product or of its tests."""
