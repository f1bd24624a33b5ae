// PostGraphile 5, its schema made from the tables.
import { createServer } from 'node:http'
import jsonwebtoken from 'jsonwebtoken'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'

const { DATABASE_URL, JWT_SECRET, PORT } = process.env

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: DATABASE_URL, schemas: ['public'], poolConfig: { max: 10 } })],
  grafast: {
    explain: false,
    context ({ node }) {
      const authorization = node?.req?.headers.authorization
      if (authorization === undefined) throw new Error('unauthorized')
      return { claims: jsonwebtoken.verify(authorization.slice('Bearer '.length), JWT_SECRET, { algorithms: ['HS256'] }) }
    }
  },
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false }
})
const server = createServer()
await instance.createServ(grafserv).addTo(server)
server.listen(Number(PORT), '127.0.0.1')
