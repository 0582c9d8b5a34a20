import { afterAll, beforeAll, expect, it } from 'vitest'
import { openGuide } from '@/db/testing/guides'
import { type PostgresServer, type ReplicaServer, startPostgres, startReplica } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'

const { runs, promised } = openGuide('docs/database.md')

needsPostgres()
let primary: PostgresServer
let replica: ReplicaServer
beforeAll(async () => {
  primary = await startPostgres()
  replica = await startReplica(primary)
})
afterAll(async () => {
  await replica?.stop()
  await primary?.stop()
})

it('prints what the guide says, on a primary with a replica', async () => {
  const output = await runs('notes', {
    ...{ DB_HOST: primary.host, DB_PORT: String(primary.port), DB_NAME: primary.database },
    ...{ DB_USER: primary.user, DB_PASSWORD: primary.password },
    ...{ DB_READ_HOST: replica.host, DB_READ_PORT: String(replica.port) },
  })
  expect(output).toBe(promised[0])
})

it('prints what the guide says, on SQLite', async () => {
  expect(await runs('sqlite')).toBe(promised[1])
})
