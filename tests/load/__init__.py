"""Many clients at once, by Locust: the scenario whose figures were documented for the older API, and an honest one."""
