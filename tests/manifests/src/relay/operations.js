import { graphql } from "relay-runtime";

export const Person = graphql`
  fragment operations_person on User {
    id
    username
  }
`;

export const Me = graphql`
  query operationsMeQuery {
    me {
      ...operations_person
    }
  }
`;

export const Tasks = graphql`
  query operationsTasksQuery($first: Int!) {
    tasks(first: $first) {
      nodes {
        id
        title
        owner {
          ...operations_person
        }
      }
    }
  }
`;

export const CreateTask = graphql`
  mutation operationsCreateTaskMutation($input: CreateTaskInput!) {
    createTask(input: $input) {
      task {
        id
        title
      }
      userErrors {
        code
      }
    }
  }
`;
