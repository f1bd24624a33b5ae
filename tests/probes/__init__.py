"""Leak probes: generated requests for objects of other users, through every entry point.

Each probe expects the answer that the policy table gives. A refused request changes nothing and shows nothing of the
object, and the same request by a user who may make it succeeds.
"""
