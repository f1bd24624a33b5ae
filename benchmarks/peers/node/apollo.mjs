// Apollo Server 5 on its own HTTP server, with DataLoader.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import DataLoader from 'dataloader'
import { createVerifier } from 'fast-jwt'
import { GraphQLError } from 'graphql'
import { Redis } from 'ioredis'
import { CHANNEL, PORT, REDIS_URL, SECRET, findTask, findUsers, mutations, pageOfTasks, typeDefs } from './common.mjs'

const publisher = new Redis(REDIS_URL)
const verify = createVerifier({ key: SECRET, algorithms: ['HS256'] })

const server = new ApolloServer({
  typeDefs,
  resolvers: {
    Query: { task: (_, { id }) => findTask(id), tasks: (_, page) => pageOfTasks(page) },
    Mutation: mutations(text => publisher.publish(CHANNEL, text)),
    Task: {
      owner: (task, _, { users }) => users.load(task.ownerId),
      assignee: (task, _, { users }) => task.assigneeId ? users.load(task.assigneeId) : null
    }
  }
})

await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: PORT },
  context: async ({ req }) => {
    try {
      const { sub } = verify((req.headers.authorization ?? '').slice('Bearer '.length))
      return { user: sub, users: new DataLoader(findUsers) }
    } catch {
      throw new GraphQLError('unauthorized', { extensions: { http: { status: 401 } } })
    }
  }
})
