import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { bundle } from '@/scripts/bundle.mjs'
import { migratePostgres } from '../migrate'
import { openPool } from './pools'
import { findPostgresBinaries } from './postgres-place'
import { findRedisServer } from './redis'
import { type PostgresServer, startPostgres, startRedis } from './servers'
import { emptyStore } from './shared'

/** What tests share in one run; null where the engine is missing and that is allowed. */
export type SharedEngine = { host: string; port: number; user: string; password: string; url: string }

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: SharedEngine | null
    redis: SharedEngine | null
  }
}

/**
 * Once a run: bundles what tests start as processes, and starts one PostgreSQL and one Redis for all of them.
 * A missing engine is a failure as root and under CI; otherwise the tests that need it are skipped.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await bundle()
  const strict = process.getuid?.() === 0 || Boolean(process.env.CI)
  const postgres = strict || findPostgresBinaries() ? await startPostgres() : null
  if (postgres) await makeEmptyStore(postgres)
  const redis = strict || findRedisServer() ? await startRedis({ password: 'shared' }) : null
  project.provide('postgres', postgres && pick({ ...postgres, port: postgres.port, url: postgres.url }))
  project.provide('redis', redis && pick({ ...redis, user: 'default', password: 'shared', url: redis.url }))
  return async () => {
    await Promise.all([postgres?.stop(), redis?.stop()])
  }
}

function pick(engine: SharedEngine): SharedEngine {
  const { host, port, user, password, url } = engine
  return { host, port, user, password, url }
}

async function makeEmptyStore(server: PostgresServer): Promise<void> {
  const { url } = await server.createDatabase(emptyStore)
  const pool = openPool({ connectionString: url, max: 2 })
  await migratePostgres(pool, fileURLToPath(new URL('../migrations', import.meta.url)))
  await pool.end()
}
