"""The projects of the demo data: a team that builds a shop, its help desk, and a move of the office that is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.project import ProjectRole
from domain.task import TaskPriority, TaskStatus

Path = tuple[TaskStatus, ...]
"""The statuses of a task after TODO, in order."""

Comments = tuple[tuple[str, str], ...]
"""The author and the text of each comment, in order."""

Subtasks = tuple[tuple[str, Path], ...]
"""The title and the statuses of each subtask, in order."""

_TODO: Final[Path] = ()
_STARTED: Final[Path] = (TaskStatus.IN_PROGRESS,)
_BACK: Final[Path] = (TaskStatus.IN_PROGRESS, TaskStatus.TODO)
_DONE: Final[Path] = (TaskStatus.IN_PROGRESS, TaskStatus.DONE)
_REOPENED: Final[Path] = (TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.IN_PROGRESS)
_CANCELLED: Final[Path] = (TaskStatus.CANCELLED,)

_LOW, _MEDIUM, _HIGH, _URGENT = TaskPriority


@dataclass(frozen=True, slots=True)
class ProjectTask:
    """A task of a project. `due` is in days from today.

    `owner`, `assignee` and the authors of comments are members of the project, which has the labels. Subtasks have the
    owner and the assignee of the task.
    """

    title: str
    description: str
    path: Path
    owner: str
    assignee: str | None = None
    priority: TaskPriority = _MEDIUM
    due: int | None = None
    labels: tuple[str, ...] = ()
    subtasks: Subtasks = ()
    comments: Comments = ()


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A project with its members, its labels and their colors, and its tasks by age, the oldest first.

    The first member creates the project, so this one is a manager. `ended` is for an archived project: the days since
    it was archived.
    """

    key: str
    name: str
    description: str
    members: Mapping[str, ProjectRole]
    labels: Mapping[str, str]
    tasks: tuple[ProjectTask, ...]
    ended: int | None = None


_SHOP: Final = DemoProject(
    "SHOP",
    "Web shop",
    "Catalogue, checkout and customer accounts of the shop. The new checkout goes live before the holiday season.",
    {"alice": ProjectRole.MANAGER, "moderator": ProjectRole.MEMBER, "bob": ProjectRole.VIEWER},
    {"Checkout": "#1f6feb", "Accessibility": "#8250df", "Customer request": "#bf8700", "Blocked": "#cf222e"},
    (
        ProjectTask(
            "Choose a payment provider",
            "Compare fees, refunds and the countries that we deliver to. The decision is in the notes of the meeting.",
            _DONE, "alice", "alice", _HIGH, labels=("Checkout",),
            comments=(
                ("moderator", "The second offer has no fee for refunds. I would take that one."),
                ("alice", "Agreed, and it covers all countries on our list. I have signed it."),
            ),
        ),
        ProjectTask(
            "Draw the steps of the new checkout",
            "Address, delivery, payment, summary. Each step fits on a small phone.",
            _DONE, "alice", "moderator", due=-16, labels=("Checkout", "Accessibility"),
        ),
        ProjectTask(
            "Keep the cart after signing in",
            "A visitor who fills the cart and then signs in finds the same articles, and those of the last visit.",
            _DONE, "moderator", "alice", _HIGH, -9, ("Customer request",),
        ),
        ProjectTask(
            "Accept vouchers at the checkout",
            "One voucher for each order. A voucher that has expired says since when.",
            _STARTED, "alice", "moderator", due=6, labels=("Checkout", "Customer request"),
            subtasks=(
                ("Check a voucher in the summary", _DONE),
                ("Say since when a voucher has expired", _STARTED),
                ("Show the reduced total in the order e-mail", _TODO),
            ),
            comments=(
                ("bob", "Customers ask whether two vouchers can be used for one order."),
                ("alice", "Only one for each order, at least until spring."),
                ("bob", "Thanks, I add that to the help pages."),
            ),
        ),
        ProjectTask(
            "Show delivery times for each country",
            "The warehouse sends a table every Monday. Show a range of days, no exact date.",
            _STARTED, "moderator", "moderator", due=9, labels=("Checkout", "Blocked"),
            comments=(("moderator", "Blocked: this week's table of the warehouse has no times for islands."),),
        ),
        ProjectTask(
            "Pay with one click for known customers",
            "Cancelled: the payment provider wants a confirmation for each order.",
            _CANCELLED, "alice",
        ),
        ProjectTask(
            "Refund a part of an order",
            "Support can refund single articles. The customer gets an e-mail with the amount.",
            _REOPENED, "moderator", "alice", _HIGH, 3, ("Customer request",),
            comments=(
                ("alice", "Reopened: the e-mail shows the full amount, not the refunded one."),
                ("bob", "I have the numbers of four orders to test it with."),
            ),
        ),
        ProjectTask(
            "Test the checkout with a screen reader",
            "All steps with the keyboard only, then with a screen reader. Note what is read in the wrong order.",
            _BACK, "alice", "moderator", due=12, labels=("Checkout", "Accessibility"),
            subtasks=(("Address and delivery", _DONE), ("Payment", _TODO), ("Summary", _TODO)),
        ),
        ProjectTask(
            "Load test for the holiday season",
            "Three times the orders of last December, for one hour, on the staging system.",
            _TODO, "alice", "alice", _URGENT, 8, ("Checkout",),
        ),
        ProjectTask(
            "Write the release notes for the new checkout",
            "One page for customers, one page for the help desk.",
            _TODO, "moderator", "moderator", _LOW, 14,
        ),
        ProjectTask(
            "Remove the old checkout",
            "Four weeks after the new one is live for all customers.",
            _TODO, "alice", None, _LOW, 40,
        ),
    ),
)  # fmt: skip

_HELP: Final = DemoProject(
    "HELP",
    "Help desk",
    "Questions and complaints of customers that need more than one answer.",
    {"bob": ProjectRole.MANAGER, "moderator": ProjectRole.MEMBER},
    {"Complaint": "#cf222e", "Question": "#1f6feb", "Team": "#1a7f37"},
    (
        ProjectTask(
            "Collect the ten most frequent questions",
            "From the e-mails of the last three months. Number them by how often they were asked.",
            _DONE, "bob", "bob",
        ),
        ProjectTask(
            "Write answers to frequent questions",
            "Short, with one link each. A colleague reads each answer before it is used.",
            _STARTED, "bob", "moderator", due=5, labels=("Question",),
            subtasks=(
                ("Delivery and tracking", _DONE),
                ("Returns and refunds", _DONE),
                ("Vouchers", _TODO),
                ("Accounts and passwords", _STARTED),
            ),
        ),
        ProjectTask(
            "Parcel is marked as delivered, but did not arrive",
            "Seven customers in the same postal code. The carrier asks for the numbers of the parcels.",
            _STARTED, "moderator", "bob", _URGENT, 1, ("Complaint",),
            comments=(
                ("bob", "The carrier has found five of the seven parcels in a shop nearby."),
                ("moderator", "I write to these five customers today. The other two get a new parcel."),
            ),
        ),
        ProjectTask(
            "Invoice shows the old company address",
            "Only invoices from before the move. Send a corrected invoice to customers who ask.",
            _DONE, "bob", "moderator", _HIGH, -4, ("Complaint",),
        ),
        ProjectTask(
            "Plan the shifts for December",
            "Two colleagues on Saturdays, one on Sundays. Ask about holidays first.",
            _BACK, "bob", "bob", _HIGH, 2, ("Team",),
        ),
        ProjectTask(
            "Answer within one working day",
            "Measure the time to the first answer for four weeks, then decide about a second shift.",
            _TODO, "moderator", "bob", due=21, labels=("Team",),
        ),
        ProjectTask(
            "Offer a chat on the contact page",
            "Cancelled: there are not enough colleagues to answer at once.",
            _CANCELLED, "bob",
        ),
        ProjectTask(
            "Explain vouchers on the help pages",
            "Wait until vouchers are accepted at the checkout.",
            _TODO, "bob", None, _LOW, labels=("Question",),
        ),
    ),
)  # fmt: skip

_MOVE: Final = DemoProject(
    "MOVE",
    "Move to the new office",
    "From the second floor to Harbour Street 12. The move is over; the project is archived.",
    {"moderator": ProjectRole.MANAGER, "alice": ProjectRole.MEMBER, "bob": ProjectRole.MEMBER},
    {"Suppliers": "#bf8700", "Everyone": "#1a7f37"},
    (
        ProjectTask(
            "Order internet access for the new office",
            "The line must work one week before the move.",
            _DONE, "moderator", "moderator", _URGENT, labels=("Suppliers",),
        ),
        ProjectTask(
            "Ask three companies for an offer",
            "Desks, chairs, two servers and the kitchen.",
            _DONE, "alice", "alice", labels=("Suppliers",),
        ),
        ProjectTask(
            "Label the boxes",
            "Name and room on two sides of each box.",
            _DONE, "bob", "bob", _LOW, labels=("Everyone",),
        ),
        ProjectTask(
            "Tell customers and suppliers the new address",
            "E-mail signature, invoices, contact page, and the map.",
            _DONE, "alice", "bob", _HIGH, labels=("Suppliers", "Everyone"),
            comments=(("bob", "Done. The map still shows the old office for a few days."),),
        ),
        ProjectTask(
            "Buy plants for the meeting room",
            "Cancelled: the previous tenant leaves some.",
            _CANCELLED, "bob",
        ),
    ),
    ended=6,
)  # fmt: skip

PROJECTS: Final = (_SHOP, _HELP, _MOVE)
