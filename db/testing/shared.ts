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

/** A new, empty database in the run's PostgreSQL; `drop()` ends its connections too. */
export async function createDatabase(): Promise<{ database: string; url: string; drop(): Promise<void> }> {
  const { url } = sharedPostgres()
  const database = `test_${randomBytes(8).toString('hex')}`
  await asSuperuser(url, `create database ${database}`)
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
