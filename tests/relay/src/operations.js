import { graphql } from "relay-runtime";

graphql`
  query TaskListQuery($first: Int, $after: String, $last: Int, $before: String, $orderBy: TaskOrder!) {
    ...TaskList_query @arguments(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy)
  }
`;

graphql`
  fragment TaskList_query on Query
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
    orderBy: { type: "TaskOrder!" }
  )
  @refetchable(queryName: "TaskListPaginationQuery") {
    tasks(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy)
      @connection(key: "TaskList_tasks") {
      totalCount
      edges {
        node {
          id
          title
        }
      }
    }
  }
`;

graphql`
  query UserListQuery($first: Int, $after: String, $last: Int, $before: String) {
    ...UserList_query @arguments(first: $first, after: $after, last: $last, before: $before)
  }
`;

graphql`
  fragment UserList_query on Query
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  )
  @refetchable(queryName: "UserListPaginationQuery") {
    users(first: $first, after: $after, last: $last, before: $before) @connection(key: "UserList_users") {
      edges {
        node {
          id
          username
        }
      }
    }
  }
`;

graphql`
  query TaskHistoryQuery($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    node(id: $id) {
      ...TaskHistory_task @alias(as: "task") @arguments(first: $first, after: $after, last: $last, before: $before)
    }
  }
`;

graphql`
  fragment TaskHistory_task on Task
  @argumentDefinitions(
    first: { type: "Int" }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  )
  @refetchable(queryName: "TaskHistoryPaginationQuery") {
    title
    history(first: $first, after: $after, last: $last, before: $before) @connection(key: "TaskHistory_history") {
      edges {
        node {
          version
        }
      }
    }
  }
`;
