// What the peers in Node have in common: where the servers are, the schema, and the statements, prepared by name.
import pg from 'pg'

export const PORT = Number(process.env.PORT)
export const SECRET = process.env.JWT_SECRET
export const REDIS_URL = process.env.REDIS_URL
export const CHANNEL = process.env.CHANNEL

export const typeDefs = `
  scalar DateTime
  enum TaskStatus { TODO IN_PROGRESS DONE CANCELLED }
  type User { id: ID! username: String! role: String! }
  type Task {
    id: ID! title: String! description: String! status: TaskStatus! priority: Int!
    createdAt: DateTime! updatedAt: DateTime! owner: User! assignee: User
  }
  type TaskEvent { id: ID! title: String! status: TaskStatus! priority: Int! updatedAt: DateTime! }
  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type TaskEdge { cursor: String! node: Task! }
  type TaskConnection { edges: [TaskEdge!]! pageInfo: PageInfo! }
  type Query {
    task(id: ID!): Task
    tasks(first: Int! = 20, after: String, status: TaskStatus): TaskConnection!
  }
  type Mutation { updateTaskStatus(id: ID!, status: TaskStatus!): Task! }
`

export const subscriptionDefs = 'type Subscription { taskStatusChanged: TaskEvent! }'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const COLUMNS = 'id, title, description, status, priority, owner_id, assignee_id, created_at, updated_at'

const toTask = row => ({
  id: row.id,
  title: row.title,
  description: row.description,
  status: row.status.toUpperCase(),
  priority: row.priority,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  ownerId: row.owner_id,
  assigneeId: row.assignee_id
})

const cursorOf = task => Buffer.from(`${task.createdAt}|${task.id}`).toString('base64')

export async function findTask (id) {
  const text = `SELECT ${COLUMNS} FROM tasks WHERE id = $1`
  const { rows } = await pool.query({ name: 'task', text, values: [id] })
  return rows.length ? toTask(rows[0]) : null
}

export async function findUsers (ids) {
  const text = 'SELECT id, username, role FROM users WHERE id = ANY($1)'
  const { rows } = await pool.query({ name: 'users', text, values: [ids] })
  const found = new Map(rows.map(row => [row.id, row]))
  return ids.map(id => found.get(id) ?? null)
}

export async function pageOfTasks ({ first, after, status }) {
  const conditions = []
  const values = []
  if (status) conditions.push(`status = $${values.push(status.toLowerCase())}`)
  if (after) {
    const [instant, id] = Buffer.from(after, 'base64').toString().split('|')
    conditions.push(`(created_at, id) < ($${values.push(instant)}, $${values.push(id)})`)
  }
  const where = conditions.length ? 'WHERE ' + conditions.join(' AND ') : ''
  const limit = `LIMIT $${values.push(first + 1)}`
  const { rows } = await pool.query({
    name: `page-${Boolean(status)}-${Boolean(after)}`,
    text: `SELECT ${COLUMNS} FROM tasks ${where} ORDER BY created_at DESC, id DESC ${limit}`,
    values
  })
  const edges = rows.slice(0, first).map(toTask).map(node => ({ cursor: cursorOf(node), node }))
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: Boolean(after),
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null
    }
  }
}

// Publishes a change of a task: publish(text) is the peer's own client of Redis.
export async function moveTask (id, status, publish) {
  const text = `UPDATE tasks SET status = $2, updated_at = date_trunc('milliseconds', now()) WHERE id = $1
    RETURNING ${COLUMNS}`
  const { rows } = await pool.query({ name: 'move', text, values: [id, status.toLowerCase()] })
  const task = toTask(rows[0])
  const { title, priority, updatedAt } = task
  await publish(JSON.stringify({ id, title, status, priority, updatedAt }))
  return task
}
