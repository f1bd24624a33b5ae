// Mercurius with its JIT, loaders, and its own fan-out by mqemitter.
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import mercurius from 'mercurius'
import mqemitter from 'mqemitter'
import { CHANNEL, PORT, REDIS_URL, SECRET, findTask, findUsers, mutations, pageOfTasks, subscriptionDefs, typeDefs } from './common.mjs'

const publisher = new Redis(REDIS_URL)
const listener = new Redis(REDIS_URL)
const emitter = mqemitter({ concurrency: 0 })
await listener.subscribe(CHANNEL)
listener.on('message', (_, text) => emitter.emit({ topic: CHANNEL, payload: { taskStatusChanged: JSON.parse(text) } }))

const app = Fastify({ logger: false })
await app.register(fastifyJwt, { secret: SECRET })
app.addHook('onRequest', async request => { if (!request.headers.upgrade) await request.jwtVerify() })
await app.register(mercurius, {
  schema: typeDefs + subscriptionDefs,
  jit: 1,
  context: request => ({ user: request.user?.sub }),
  resolvers: {
    Query: { task: (_, { id }) => findTask(id), tasks: (_, page) => pageOfTasks(page) },
    Mutation: mutations(text => publisher.publish(CHANNEL, text)),
    Subscription: { taskStatusChanged: { subscribe: (_, __, { pubsub }) => pubsub.subscribe(CHANNEL) } }
  },
  loaders: {
    Task: {
      owner: { loader: queries => findUsers(queries.map(query => query.obj.ownerId)), opts: { cache: false } },
      assignee: {
        async loader (queries) {
          const ids = queries.map(query => query.obj.assigneeId).filter(Boolean)
          const users = ids.length ? await findUsers(ids) : []
          const found = new Map(ids.map((id, index) => [id, users[index]]))
          return queries.map(query => found.get(query.obj.assigneeId) ?? null)
        },
        opts: { cache: false }
      }
    }
  },
  subscription: {
    emitter,
    onConnect: async ({ payload }) => {
      app.jwt.verify((payload?.authorization ?? '').slice('Bearer '.length))
      return true
    }
  }
})
await app.listen({ host: '127.0.0.1', port: PORT })
