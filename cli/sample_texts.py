"""Titles and descriptions of generated tasks."""

from typing import Final

PLACES: Final = (
    "checkout page", "invoice e-mail", "onboarding tour", "search results", "mobile menu", "price list",
    "password reset", "order history", "newsletter form", "product gallery", "delivery tracker", "help centre",
    "cookie banner", "contact form", "gift card", "wish list", "returns label", "store finder", "size guide",
    "review widget", "loyalty page", "landing page", "stock warning", "payment receipt",
)  # fmt: skip
JOBS: Final = (
    ("Review the wording of the {}", "Read it aloud once. Note each sentence that is hard to read, and simplify it."),
    ("Fix the layout of the {} on small screens", "Below 380 pixels the last column is cut off; see the screenshots."),
    ("Measure how fast the {} loads", "Median and 95th percentile, on a mid-range phone, before and after the change."),
    ("Write browser tests for the {}", "The happy path, an empty state and one failure are enough to begin with."),
    ("Translate the {} into Spanish", "Ask the support team for the terms that customers use themselves."),
    ("Collect feedback on the {}", "Five conversations of fifteen minutes; notes go into the shared folder."),
    ("Check the {} with a screen reader", "Headings, labels and the order of focus. Keyboard only, too."),
    ("Document the {} for the support team", "One page: what it does, what goes wrong, what to answer."),
    ("Plan the redesign of the {}", "What stays, what goes, and how we will know that it is better."),
    ("Remove the old version of the {}", "No link has pointed to it since the spring; check the logs once more."),
)
