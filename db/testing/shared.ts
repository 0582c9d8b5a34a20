import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { beforeEach, inject } from 'vitest'
import type { SharedEngine } from './setup'

export const postgresMissing = 'PostgreSQL is not installed: apt-get install postgresql'
export const redisMissing = 'Redis is not installed: apt-get install redis-server'

/** Skips the tests of the file or describe block, with the reason, where the run has no PostgreSQL. */
export function needsPostgres(): void {
  beforeEach((context) => context.skip(inject('postgres') === null, postgresMissing))
}

/** Skips the tests of the file or describe block, with the reason, where the run has no Redis. */
export function needsRedis(): void {
  beforeEach((context) => context.skip(inject('redis') === null, redisMissing))
}

/** The run's PostgreSQL, as superuser. Every test makes its own database in it: `createDatabase()`. */
export function sharedPostgres(): SharedEngine {
  return required(inject('postgres'), postgresMissing)
}

/** The run's Redis. Tests share its keys: give each a prefix of its own, and never FLUSHALL. */
export function sharedRedis(): SharedEngine {
  return required(inject('redis'), redisMissing)
}

function required(engine: SharedEngine | null, reason: string): SharedEngine {
  if (!engine) throw new Error(reason)
  return engine
}

/** The database of the run that holds an empty store (db/testing/setup.ts): a copy of it is quicker than migrations. */
export const emptyStore = 'empty_store'

export interface TestDatabase {
  database: string
  url: string
  /** Ends its connections, too. */
  drop(): Promise<void>
}

/** A new database in the run's PostgreSQL: empty, or a copy of another one that nobody is connected to. */
export async function createDatabase(template?: string): Promise<TestDatabase> {
  const { url } = sharedPostgres()
  const database = `test_${randomBytes(8).toString('hex')}`
  const made = `create database ${database}${template ? ` template ${template}` : ''}`
  await asSuperuser(url, template ? `${made} strategy file_copy` : made).catch((error: { code?: string }) => {
    // Before PostgreSQL 15 files are always copied, and the option is unknown.
    if (error.code !== '42601') throw error
    return asSuperuser(url, made)
  })
  return {
    database,
    url: Object.assign(new URL(url), { pathname: `/${database}` }).href,
    drop: () => asSuperuser(url, `drop database if exists ${database} with (force)`),
  }
}

async function asSuperuser(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
