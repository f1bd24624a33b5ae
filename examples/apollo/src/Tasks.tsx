import { useMutation, useQuery, useSubscription } from "@apollo/client/react";
import { useState } from "react";

import { ProjectSelect, ShowMore, Standing, TaskRow, Waiting, type Status } from "../../common/parts";
import { listed, stream } from "./api";
import { MoveTaskDocument, ProjectsDocument, TaskMovesDocument, TasksDocument, type TaskFragment } from "./gql/graphql";

export function Tasks() {
  const { data, error } = useQuery(TasksDocument, { variables: { projectId: null } });
  const { data: found } = useQuery(ProjectsDocument);
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
      <List key={projectId} projectId={projectId} />
    </>
  );
}

function List({ projectId }: { projectId: string | null }) {
  const { data, error, fetchMore } = useQuery(TasksDocument, { variables: { projectId } });
  const [problem, setProblem] = useState<Error>();
  if (!data) return <Waiting error={error} />;
  const { edges, pageInfo } = data.tasks;
  const more = () => fetchMore({ variables: { after: pageInfo.endCursor } }).then(() => setProblem(undefined), setProblem);
  return (
    <>
      <ul aria-label="Tasks">
        {edges.map(({ node }) => <Task key={node.id} task={node} />)}
        {pageInfo.hasNextPage && <ShowMore onClick={more} />}
      </ul>
      {problem && <p role="alert">{problem.message}</p>}
    </>
  );
}

/** Subscribes from where the stream stood before the list was first read, so that nothing is missed in between. */
function Listening(props: { after: string | null }) {
  const [after] = useState(props.after);
  const { data, error } = useSubscription(TaskMovesDocument, { variables: { after } });
  return <Standing stream={stream} item={data?.taskStatusChanged} error={error} />;
}

function Task({ task }: { task: TaskFragment }) {
  const [move, { data, error }] = useMutation(MoveTaskDocument);
  const refusal = error?.message ?? data?.updateTaskStatus?.userErrors[0]?.message;
  const moveTo = (status: Status) => void move({
    variables: { input: { id: task.id, status, expectedVersion: task.version } },
    // A refusal has no task: then this is taken back, and what was there before shows again.
    optimisticResponse: { updateTaskStatus: { task: { ...task, status }, userErrors: [] } },
  });
  return <TaskRow task={task} refusal={refusal} onMove={moveTo} />;
}
