import type pg from 'pg'
import type { Reject } from '../transfer/refusals'
import type { RejectedRow } from '../types'
import { BOOKKEEPING } from './checkpoint'

/** Inside a batch's transaction: a rejected row is kept if and only if the checkpoint passes it. */
export async function writeRejects(
  client: pg.Client,
  at: { runId: string; table: string; part: number },
  rejects: readonly Reject[],
): Promise<void> {
  if (rejects.length === 0) return
  await client.query(
    `INSERT INTO ${BOOKKEEPING}.reject (run_id, table_name, part, position, key, column_name, value, reason)
     SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`,
    [
      at.runId,
      at.table,
      at.part,
      rejects.map(({ position }) => position),
      rejects.map(({ key }) => key),
      rejects.map(({ column }) => column),
      rejects.map(({ value }) => value),
      rejects.map(({ reason }) => reason),
    ],
  )
}

/** All rejected rows of a run, in the order of tables and keys. */
export async function readRejects(client: pg.Client, runId: string): Promise<RejectedRow[]> {
  const { rows: found } = await client.query(
    `SELECT to_regclass('${BOOKKEEPING}.reject') IS NOT NULL AS there`,
  )
  if (!found[0]?.there) return []
  const { rows } = await client.query<RejectedRow>(
    `SELECT table_name AS "table", position, key, column_name AS "column", value, reason
     FROM ${BOOKKEEPING}.reject WHERE run_id = $1 ORDER BY table_name, part, ctid`,
    [runId],
  )
  return rows
}

/** Positions of the rejected rows of one table. */
export async function readTableRejects(client: pg.Client, runId: string, table: string): Promise<string[]> {
  const { rows } = await client.query<{ position: string }>(
    `SELECT position FROM ${BOOKKEEPING}.reject WHERE run_id = $1 AND table_name = $2`,
    [runId, table],
  )
  return rows.map(({ position }) => position)
}

/** Takes back rejects whose rows were stored after all, or are gone. */
export async function dropRejects(
  client: pg.Client,
  runId: string,
  table: string,
  positions: readonly string[],
): Promise<void> {
  if (positions.length === 0) return
  await client.query(
    `DELETE FROM ${BOOKKEEPING}.reject WHERE run_id = $1 AND table_name = $2 AND position = ANY ($3::text[])`,
    [runId, table, positions],
  )
}
