"""Selections of GraphQL documents: everything that an object shows, with its nested lists."""

from typing import Final

USER: Final = "id username role isActive createdAt email"
MEMBERS: Final = f"nodes {{ id role createdAt user {{ {USER} }} }} pageInfo {{ endCursor }}"
LABEL: Final = "id name color version createdAt updatedAt"
LABELS: Final = f"nodes {{ {LABEL} }} pageInfo {{ endCursor }}"
PROJECT: Final = f"""labels(first: 3) {{ {LABELS} }}
  id key name description isArchived version createdAt updatedAt viewerRole viewerCanUpdate
  viewerCanArchive viewerCanDelete viewerCanManageMembers members(first: 5) {{ {MEMBERS} }}"""
HISTORY: Final = f"nodes {{ at changes from to version by {{ {USER} }} }} pageInfo {{ endCursor }}"
PROJECT_IN_LIST: Final = "id key name description viewerRole"
COMMENT: Final = f"id text version createdAt updatedAt isEdited viewerDidWrite author {{ {USER} }}"
COMMENTS: Final = f"nodes {{ {COMMENT} }} pageInfo {{ endCursor }}"
TASK_IN_LIST: Final = f"""id title description status version number key commentCount project {{ {PROJECT_IN_LIST} }}
  rank subtaskCount doneSubtaskCount parent {{ id title description }}
  owner {{ {USER} }} assignee {{ {USER} }} viewerCanUpdate viewerCanDelete"""
SUBTASKS: Final = f"nodes {{ {TASK_IN_LIST} }} pageInfo {{ endCursor }}"
TASK: Final = f"""{TASK_IN_LIST} priority dueAt createdAt updatedAt completedAt viewerCanUpdateStatus viewerCanAssign
  labels(first: 3) {{ {LABELS} }} comments(first: 3) {{ {COMMENTS} }} subtasks(first: 3) {{ {SUBTASKS} }}
  history(first: 3) {{ {HISTORY} }} inProject: project {{ {PROJECT} }}"""
DELETED_TASK: Final = f"""id key title status subtaskCount commentCount deletedAt project {{ {PROJECT_IN_LIST} }}
  owner {{ {USER} }} deletedBy {{ {USER} }}"""
MEMBERSHIP: Final = f"id role createdAt user {{ {USER} }}"
SESSION: Final = "id ipAddress userAgent createdAt isCurrent"
ERRORS: Final = "userErrors { code path message }"
NODE: Final = f"""__typename id ... on Task {{ {TASK} }} ... on User {{ username email }}
  ... on Session {{ ipAddress userAgent }} ... on Membership {{ memberRole: role user {{ {USER} }} }}
  ... on Label {{ name color }} ... on Comment {{ text author {{ {USER} }} }}
  ... on Project {{ projectKey: key name about: description members(first: 3) {{ {MEMBERS} }} }}"""
ITEM: Final = f"""__typename cursor at taskId mutationId task {{ {TASK_IN_LIST} }}
  ... on TaskChanged {{ changes by {{ {USER} }} }} ... on TaskStatusChanged {{ from to by {{ {USER} }} }}
  ... on CommentChanged {{ commentId change commentCount comment {{ {COMMENT} }} by {{ {USER} }} }}
  ... on ResyncRequired {{ reason }}"""


def query(arguments: str, field: str, selection: str) -> str:
    """A query with one root field."""
    return f"query ({arguments}) {{ {field} {{ {selection} }} }}"


def mutation(name: str, selection: str = "") -> str:
    """A mutation with the input `$input`."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {ERRORS} {selection} }} }}"


def project_subscription() -> str:
    """`projectChanged` with a cursor."""
    return f"""subscription ($id: ID!, $after: String) {{ projectChanged(projectId: $id, after: $after) {{ {ITEM}
      ... on ProjectChanged {{ projectChange label {{ {LABEL} }} project {{ {PROJECT_IN_LIST} }} by {{ {USER} }} }}
      ... on MemberChanged {{ role user {{ {USER} }} project {{ {PROJECT_IN_LIST} }} }} }} }}"""


def subscription(name: str) -> str:
    """A subscription with a filter and a cursor."""
    return (
        f"subscription ($filter: TaskStreamFilter, $after: String) "
        f"{{ {name}(filter: $filter, after: $after) {{ {ITEM} }} }}"
    )
