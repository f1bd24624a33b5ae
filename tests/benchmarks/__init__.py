"""The parts of the comparison that only calculate, draw and write."""
