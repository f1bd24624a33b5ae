// People of a test's own, and what they do behind the board's back: over the API, as other clients would.
import assert from "node:assert/strict";

const PASSWORD = "Taskriver-1";
/** The number of mutations that one document may have. */
const A_REQUEST = 25;
let made = 0;

export class Person {
  constructor(base, username, token) {
    Object.assign(this, { base, username, token, password: PASSWORD });
  }

  async ask(query, variables = {}) {
    const { data, errors } = await post(this.base, query, variables, this.token);
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  }

  /** The changed task, or the refusal's code. */
  async change(mutation, type, input) {
    const query = `mutation ($input: ${type}!) { it: ${mutation}(input: $input) { task { ${TASK} } userErrors { code } } }`;
    const { it } = await this.ask(query, { input });
    return it.task ?? it.userErrors[0].code;
  }

  create(input) {
    return this.change("createTask", "CreateTaskInput", input);
  }

  move(id, status) {
    return this.change("updateTaskStatus", "UpdateTaskStatusInput", { id, status });
  }

  update(id, fields) {
    return this.change("updateTask", "UpdateTaskInput", { id, ...fields });
  }

  assign(id, assigneeId) {
    return this.change("assignTask", "AssignTaskInput", { id, assigneeId });
  }

  async remove(id) {
    await this.ask("mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { deletedTaskId } }", { input: { id } });
  }

  /** Many, titled by their numbers; some are made at the same time. */
  async createMany(count, input = () => ({})) {
    const firsts = Array.from({ length: Math.ceil(count / A_REQUEST) }, (_, at) => at * A_REQUEST);
    const work = async () => {
      for (let first = firsts.shift(); first !== undefined; first = firsts.shift())
        await this.#create(Array.from({ length: Math.min(A_REQUEST, count - first) }, (_, at) => first + at), input);
    };
    await Promise.all([work(), work(), work()]);
  }

  #create(numbers, input) {
    const fields = numbers.map((n) => `c${n}: createTask(input: $i${n}) { task { id } }`).join("\n");
    const types = numbers.map((n) => `$i${n}: CreateTaskInput!`).join(", ");
    const inputs = numbers.map((n) => [`i${n}`, { title: `Task number ${n}`, ...input(n) }]);
    return this.ask(`mutation (${types}) { ${fields} }`, Object.fromEntries(inputs));
  }

  /** A project of this person: its id and its key. */
  async createProject(name) {
    const input = { key: `${name.slice(0, 4)}${(made += 1)}`, name: "The team" };
    const { it } = await this.ask(
      "mutation ($input: CreateProjectInput!) { it: createProject(input: $input) { project { id key } userErrors { message } } }",
      { input },
    );
    assert.deepEqual(it.userErrors, []);
    return [it.project.id, it.project.key];
  }

  /** Adds another person to a project of this one. */
  async setMember(projectId, person, role = "MEMBER") {
    const input = { projectId, userId: (await person.me()).id, role };
    await this.ask("mutation ($input: AddMemberInput!) { addMember(input: $input) { userErrors { message } } }", { input });
  }

  async removeMember(projectId, person) {
    const input = { projectId, userId: (await person.me()).id };
    await this.ask("mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userErrors { message } } }", { input });
  }

  async archive(projectId, isArchived = true) {
    const input = { id: projectId, isArchived };
    await this.ask("mutation ($input: ArchiveProjectInput!) { archiveProject(input: $input) { userErrors { message } } }", { input });
  }

  /** A label of a project: its id. */
  async createLabel(projectId, name, color) {
    const input = { projectId, name, color };
    const { it } = await this.ask(
      "mutation ($input: CreateLabelInput!) { it: createLabel(input: $input) { label { id } userErrors { message } } }", { input },
    );
    return it.label.id;
  }

  /** The code of the refusal, or null. */
  async updateLabel(id, fields) {
    const { it } = await this.ask(
      "mutation ($input: UpdateLabelInput!) { it: updateLabel(input: $input) { userErrors { code } } }", { input: { id, ...fields } },
    );
    return it.userErrors[0]?.code ?? null;
  }

  async deleteLabel(id) {
    await this.ask("mutation ($input: DeleteLabelInput!) { deleteLabel(input: $input) { userErrors { message } } }", { input: { id } });
  }

  async updateProject(id, fields) {
    const input = { id, ...fields };
    await this.ask("mutation ($input: UpdateProjectInput!) { updateProject(input: $input) { userErrors { message } } }", { input });
  }

  async setRole(projectId, person, role) {
    const input = { projectId, userId: (await person.me()).id, role };
    await this.ask("mutation ($input: SetMemberRoleInput!) { setMemberRole(input: $input) { userErrors { message } } }", { input });
  }

  async comment(taskId, text) {
    const input = { taskId, text };
    await this.ask("mutation ($input: CreateCommentInput!) { createComment(input: $input) { userErrors { message } } }", { input });
  }

  async me() {
    return (await this.ask("{ me { id username } }")).me;
  }

  /** All tasks that the person may see, as a fresh fetch shows them. */
  async list() {
    const found = [];
    for (let after = null; ; ) {
      const { tasks } = await this.ask(
        `query ($after: String) { tasks(first: 100, after: $after, orderBy: UPDATED_DESC) {
          pageInfo { hasNextPage endCursor } nodes { ${TASK} } } }`,
        { after },
      );
      found.push(...tasks.nodes);
      if (!tasks.pageInfo.hasNextPage) return found;
      after = tasks.pageInfo.endCursor;
    }
  }
}

const TASK = "id title status version assignee { username }";

/** A new user without tasks. */
export async function newUser(base) {
  const username = `person${process.pid}x${++made}`;
  const input = { username, email: `${username}@example.org`, password: PASSWORD };
  await post(base, "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { message } } }", { input });
  return known(base, username);
}

/** An existing user, such as a demo user. */
export async function known(base, username) {
  const { data } = await post(
    base,
    "mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { message } } }",
    { input: { username, password: PASSWORD } },
  );
  assert.ok(data.login.accessToken, JSON.stringify(data.login.userErrors));
  return new Person(base, username, data.login.accessToken);
}

async function post(base, query, variables, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${base}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  return response.json();
}
