// Shared by the Node peers: addresses, the schema, and the statements, prepared by name.
// With EVENTS=1, each change also inserts an event in the same transaction.
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
    tasks(first: Int! = 20, after: String, status: TaskStatus, search: String): TaskConnection!
  }
  type Mutation {
    updateTaskStatus(id: ID!, status: TaskStatus!): Task!
    updateTask(id: ID!, title: String!): Task!
    assignTask(id: ID!, assigneeId: ID!): Task!
    createTask(title: String!, description: String!, priority: Int!): Task!
    deleteTask(id: ID!): ID!
  }
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

export async function pageOfTasks ({ first, after, status, search }) {
  const conditions = []
  const values = []
  if (status) conditions.push(`status = $${values.push(status.toLowerCase())}`)
  if (after) {
    const [instant, id] = Buffer.from(after, 'base64').toString().split('|')
    conditions.push(`(created_at, id) < ($${values.push(instant)}, $${values.push(id)})`)
  }
  if (search) {
    const pattern = `$${values.push('%' + search.replace(/[\\%_]/g, '\\$&') + '%')}`
    conditions.push(`(title ILIKE ${pattern} OR description ILIKE ${pattern})`)
  }
  const where = conditions.length ? 'WHERE ' + conditions.join(' AND ') : ''
  const limit = `LIMIT $${values.push(first + 1)}`
  const { rows } = await pool.query({
    name: `page-${Boolean(status)}-${Boolean(after)}-${Boolean(search)}`,
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

const EVENT = 'INSERT INTO events (kind, task_id, user_id, payload) VALUES ($1, $2, $3, $4)'

// Makes a change of one task; returns its row.
async function change (name, text, values, user) {
  if (process.env.EVENTS !== '1') return (await pool.query({ name, text, values })).rows[0]
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const { rows: [row] } = await client.query({ name, text, values })
    await client.query({ name: 'event', text: EVENT, values: [name, row.id, user, JSON.stringify(row)] })
    await client.query('COMMIT')
    return row
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

const update = column => `UPDATE tasks SET ${column} = $2, updated_at = date_trunc('milliseconds', now()) WHERE id = $1
  RETURNING ${COLUMNS}`
const MOVE = update('status')
const EDIT = update('title')
const ASSIGN = update('assignee_id')
const CREATE = `INSERT INTO tasks (title, description, priority, owner_id) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`
const DELETE = `DELETE FROM tasks WHERE id = $1 RETURNING ${COLUMNS}`

// The mutations for the schema. publish(text) uses the Redis client of the peer; the context has the user's id.
export const mutations = publish => ({
  async updateTaskStatus (_, { id, status }, { user }) {
    const task = toTask(await change('move', MOVE, [id, status.toLowerCase()], user))
    const { title, priority, updatedAt } = task
    await publish(JSON.stringify({ id, title, status, priority, updatedAt }))
    return task
  },
  updateTask: async (_, { id, title }, { user }) => toTask(await change('edit', EDIT, [id, title], user)),
  assignTask: async (_, { id, assigneeId }, { user }) => toTask(await change('assign', ASSIGN, [id, assigneeId], user)),
  createTask: async (_, { title, description, priority }, { user }) =>
    toTask(await change('create', CREATE, [title, description, priority, user], user)),
  deleteTask: async (_, { id }, { user }) => (await change('delete', DELETE, [id], user)).id
})
