"""Measurements that a person runs; nothing here is part of the product or of its tests."""
