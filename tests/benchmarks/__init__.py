"""The parts of the comparison that calculate, draw and write."""
