import { useState } from "react";
import { useMutation, useQuery, useSubscription } from "urql";

import { ProjectSelect, ShowMore, Standing, TaskRow, Waiting, type Status } from "../../common/parts";
import { listed, stream } from "./api";
import { MoveTaskDocument, ProjectsDocument, TaskMovesDocument, TasksDocument, type TaskFragment } from "./gql/graphql";

export function Tasks() {
  const [{ data, error }] = useQuery({ query: TasksDocument, variables: { projectId: null } });
  const [{ data: found }] = useQuery({ query: ProjectsDocument });
  const [chosen, setChosen] = useState<string | null>(null);
  if (!data) return <Waiting error={error} />;
  const projects = found?.projects.nodes ?? [];
  const projectId = projects.some(({ id }) => id === chosen) ? chosen : null; // null after the user has left the project
  const choose = (id: string | null) => {
    listed.add(id);
    setChosen(id);
  };
  return (
    <>
      <Listening after={data.tasks.streamCursor} />
      <ProjectSelect projects={projects} value={projectId} onChange={choose} />
      <ul aria-label="Tasks"><Page key={projectId} projectId={projectId} /></ul>
    </>
  );
}

/** Subscribes from where the stream stood before the list was first read, so that nothing is missed in between. */
function Listening(props: { after: string | null }) {
  const [after] = useState(props.after);
  const [{ data, error }] = useSubscription({ query: TaskMovesDocument, variables: { after } });
  return <Standing stream={stream} item={data?.taskStatusChanged} error={error} />;
}

/** One page, and behind it the next: it begins where this one ends, wherever that is by now. */
function Page({ projectId, after }: { projectId: string | null; after?: string | null }) {
  const [{ data, error }, read] = useQuery({ query: TasksDocument, variables: { projectId, after } });
  const [more, setMore] = useState(false);
  if (!data) {
    return (
      <>
        <li className="task"><Waiting error={error} /></li>
        {error && <ShowMore onClick={() => read({ requestPolicy: "network-only" })} />}
      </>
    );
  }
  const { nodes, pageInfo } = data.tasks;
  return (
    <>
      {nodes.map((task) => <Task key={task.id} task={task} />)}
      {pageInfo.hasNextPage && (
        more ? <Page projectId={projectId} after={pageInfo.endCursor} /> : <ShowMore onClick={() => setMore(true)} />
      )}
    </>
  );
}

function Task({ task }: { task: TaskFragment }) {
  const [{ data, error }, move] = useMutation(MoveTaskDocument);
  const refusal = error?.message ?? data?.updateTaskStatus?.userErrors[0]?.message;
  const moveTo = (status: Status) => void move({ input: { id: task.id, status, expectedVersion: task.version } });
  return <TaskRow task={task} refusal={refusal} onMove={moveTo} />;
}
