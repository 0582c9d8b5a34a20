// npm run stack: a PostgreSQL primary with a streaming replica and a six-node Redis Cluster on this machine, to
// try everything by hand. It prints the environment to use and stops everything on Ctrl-C.
import path from 'node:path'
import { checkNode, fail, install, root, step } from './lib.mjs'

try {
  checkNode()
  await install()
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  const servers = await import(path.join(root, 'dist/testing/servers.mjs'))
  const primary = await step('PostgreSQL primary', () => servers.startPostgres({ settings: { fsync: 'on' } }))
  const replica = await step('Streaming replica', () => servers.startReplica(primary))
  const cluster = await step('Redis Cluster of six', () => servers.startRedisCluster(6))
  const { database } = await primary.createDatabase('holdfast')
  const environment = {
    DB_TYPE: 'postgresql',
    DB_HOST: primary.host,
    DB_PORT: primary.port,
    DB_NAME: database,
    DB_USER: primary.user,
    DB_PASSWORD: primary.password,
    DB_READ_HOST: replica.host,
    DB_READ_PORT: replica.port,
    REDIS_CLUSTER_ENABLED: 'true',
    REDIS_CLUSTER_NODES: cluster.addresses,
  }
  console.log(
    '\nStart Holdfast on it in another terminal, with this environment (leave DB_TYPE out to begin on SQLite',
  )
  console.log('and migrate to it):\n')
  for (const [name, value] of Object.entries(environment)) console.log(`export ${name}=${value}`)
  console.log('\nCtrl-C stops all of it and removes its data.')

  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    console.log('\nStopping …')
    await Promise.all([cluster.stop(), replica.stop().then(() => primary.stop())])
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  setInterval(() => {}, 1 << 30)
} catch (error) {
  fail(error)
}
