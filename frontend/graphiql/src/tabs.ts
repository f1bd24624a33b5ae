import type { TabsState } from "@graphiql/react";
import type { Session } from "@taskriver/client";
import { ask } from "./asking";

/** The place for a task id in the tab that changes a status; it is filled after the sign-in. */
const NO_TASK = "the id of a task";

const WHO_AM_I = `# Sign in above, then press ▶ or Ctrl-Enter.
query WhoAmI {
  me {
    id
    username
    role
    email
  }
}
`;

const MY_TASKS = `# Tasks that you may see, the most urgent first.
# The next page is behind \`after: endCursor\`.
query MyTasks(
  $first: Int! = 10
  $after: String
  $filter: TaskFilter
) {
  tasks(
    first: $first
    after: $after
    filter: $filter
    orderBy: PRIORITY_DESC
  ) {
    totalCount
    nodes {
      id
      title
      status
      priority
      dueAt
      version
      owner {
        username
      }
      assignee {
        username
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    streamCursor
  }
}
`;

const WATCH = `# Press ▶ and leave it running: tasks that move
# are shown here. Move one in another window of
# this page; another tab here ends the stream,
# and "Event log" above keeps what it received.
#
# A broken connection comes back by itself, and
# goes on behind the last \`cursor\`: no gap.
subscription WatchStatusChanges($after: String) {
  taskStatusChanged(after: $after) {
    __typename
    cursor
    at
    task {
      id
      title
      version
    }
    ... on TaskStatusChanged {
      from
      to
      by {
        username
      }
    }
    ... on ResyncRequired {
      reason
    }
  }
}
`;

const CHANGE = `# Once you are signed in, the variables below
# name a task of yours. Press ▶ and it moves.
# \`userErrors\` explains a change that is not
# allowed, and lists those that are.
mutation ChangeStatus($input: UpdateTaskStatusInput!) {
  updateTaskStatus(input: $input) {
    task {
      id
      title
      status
      version
    }
    userErrors {
      code
      message
      path
    }
  }
}
`;

const FIRST_TASK = `query FirstTask($filter: TaskFilter!) {
  tasks(first: 1, filter: $filter, orderBy: CREATED_ASC) { nodes { id status } }
}`;

/** The tabs of a first visit. */
export const firstTabs = [
  { query: WHO_AM_I },
  { query: MY_TASKS, variables: json({ first: 10, filter: { status: ["TODO", "IN_PROGRESS"] } }) },
  { query: WATCH },
  { query: CHANGE, variables: change(NO_TASK, "IN_PROGRESS") },
];

/** Whether a tab still needs a task of the signed-in user. */
export function isWaiting(tab: TabsState["tabs"][number]): boolean {
  return tab.variables?.includes(`"${NO_TASK}"`) ?? false;
}

/** Variables that move a task of one's own; null: there is none that could be moved. */
export async function changeOfOwnTask(session: Session): Promise<string | null> {
  const filter = { ownerId: session.state.user?.id, status: ["TODO", "IN_PROGRESS"] };
  const { data } = await ask(session, { query: FIRST_TASK, variables: { filter } });
  const [task] = ((data as any)?.tasks.nodes ?? []) as { id: string; status: string }[];
  return task ? change(task.id, task.status === "TODO" ? "IN_PROGRESS" : "DONE") : null;
}

function change(id: string, status: string): string {
  return json({ input: { id, status } });
}

function json(value: object): string {
  return JSON.stringify(value, null, 2);
}
