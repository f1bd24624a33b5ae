"""Load tests with Locust: the documented scenario of the older API, and a mixed one."""
