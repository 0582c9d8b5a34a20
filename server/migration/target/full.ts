import type pg from 'pg'
import { MigrationError } from '../failure'
import { quoteLiteral } from '../plan/names'
import type { Job, Plan } from '../types'
import { readRun } from './checkpoint'
import { qualified } from './ddl'
import { connectTarget, disconnect } from './target'

/** Tables with their keys and indexes, over the bytes of the values: what the server's pages and trees add. */
const GROWTH = 1.75

/** Says of a full disk where it is and about how much is still to come; a server that can't be asked leaves it as it was. */
export async function explainFull(error: MigrationError, job: Job): Promise<MigrationError> {
  try {
    const client = await connectTarget(job.target)
    try {
      const place = await tablespaceOf(client, error.message)
      const needed = await bytesToCome(client, job)
      const much = needed === null ? '' : ` about ${Math.ceil(needed / 1e6).toLocaleString('en')} MB`
      return new MigrationError(
        'TARGET_FULL',
        `${error.message} It is the disk of ${place}.`,
        `Free${much} there: the run then goes on by itself, and committed batches are kept.`,
        { cause: error },
      )
    } finally {
      await disconnect(client)
    }
  } catch {
    return error
  }
}

/** The message names a file: below pg_tblspc/OID, or in the data directory. */
async function tablespaceOf(client: pg.Client, message: string): Promise<string> {
  const oid = /pg_tblspc\/(\d+)/.exec(message)?.[1]
  const { rows } = await client.query<{ name: string; location: string }>(
    `SELECT spcname AS name, pg_tablespace_location(oid) AS location FROM pg_tablespace
     WHERE oid = coalesce($1::oid, (SELECT dattablespace FROM pg_database WHERE datname = current_database()))`,
    [oid ?? null],
  )
  const { name = 'pg_default', location = '' } = rows[0] ?? {}
  return `tablespace ${name}, ${location ? `at ${location}` : 'in the server’s data directory'}`
}

async function bytesToCome(client: pg.Client, job: Job): Promise<number | null> {
  const plan: Plan | undefined = job.plan ?? (await readRun(client, job.runId))?.plan
  if (!plan) return null
  const names = plan.tables.map((table) => quoteLiteral(qualified(plan.schema, table.target)))
  const { rows } = await client.query<{ bytes: number }>(
    `SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0)::float8 AS bytes
     FROM unnest(ARRAY[${names.join(', ')}]::text[]) AS name`,
  )
  const whole = plan.tables.reduce((sum, table) => sum + table.bytes, 0) * GROWTH
  return Math.max(1e6, whole - (rows[0]?.bytes ?? 0))
}
