import { createHash } from 'node:crypto'
import type pg from 'pg'
import { readCatalog } from './catalog'
import { qualified } from './ddl'
import { type Digest, orderedScan, type Side, SUM_MODULUS } from './digest'
import { quoteLiteral } from './names'
import type { Bounds } from './ranges'
import type { Check, Plan, PlannedTable, TableValidation } from './types'

/** What of a table's comparison runs in a thread. */
export interface Comparer {
  ordered(table: PlannedTable, bounds: Bounds): Promise<Digest>
  sourceSet(table: PlannedTable, bounds: Bounds): Promise<{ rows: number; columns: Side[] }>
  targetSet(table: PlannedTable): Promise<{ rows: number; columns: Side[] }>
}

/** Compares one table, its ranges side by side. */
export async function compareTable(
  table: PlannedTable,
  ranges: Bounds[],
  comparer: Comparer,
): Promise<TableValidation> {
  if (orderedScan(table)) {
    const digests = await Promise.all(ranges.map((bounds) => comparer.ordered(table, bounds)))
    return summarise(table, joinOrdered(digests))
  }
  const target = comparer.targetSet(table)
  target.catch(() => {})
  const parts = await Promise.all(ranges.map((bounds) => comparer.sourceSet(table, bounds)))
  return summarise(table, joinSets(parts, await target))
}

function joinOrdered(digests: Digest[]): Digest {
  const [first, ...rest] = digests as [Digest, ...Digest[]]
  const firstDifference = digests.find((digest) => digest.firstDifference)?.firstDifference
  return {
    sourceRows: digests.reduce((sum, one) => sum + one.sourceRows, 0),
    targetRows: digests.reduce((sum, one) => sum + one.targetRows, 0),
    columns: first.columns.map((column, i) =>
      rest.reduce(
        (joined, digest) => ({
          source: concat(joined.source, digest.columns[i]?.source as Side),
          target: concat(joined.target, digest.columns[i]?.target as Side),
        }),
        column,
      ),
    ),
    ...(firstDifference && { firstDifference }),
  }
}

function concat(a: Side, b: Side): Side {
  return { count: a.count + b.count, sums: [...a.sums, ...b.sums] }
}

function joinSets(
  parts: { rows: number; columns: Side[] }[],
  target: { rows: number; columns: Side[] },
): Digest {
  const columns = target.columns.map((side, i) => ({
    source: parts
      .map((part) => part.columns[i] as Side)
      .reduce((a, b) => ({
        count: a.count + b.count,
        sums: a.sums.map((sum, n) => ((sum as number) + (b.sums[n] as number)) % SUM_MODULUS),
      })),
    target: side,
  }))
  return { sourceRows: parts.reduce((sum, part) => sum + part.rows, 0), targetRows: target.rows, columns }
}

function summarise(table: PlannedTable, digest: Digest): TableValidation {
  const names = [...table.columns.map((column) => column.target), '(whole rows)']
  const columns = digest.columns.map(({ source, target }, i) => {
    const [ours, theirs] = [show(source), show(target)]
    return { column: names[i] as string, ok: ours === theirs, source: ours, target: theirs }
  })
  const ok = digest.sourceRows === digest.targetRows && columns.every((column) => column.ok)
  return {
    table: table.target,
    sourceRows: digest.sourceRows,
    targetRows: digest.targetRows,
    columns,
    ok,
    ...(digest.firstDifference && { firstDifference: digest.firstDifference }),
  }
}

function show(side: Side): string {
  const sum = createHash('sha256').update(side.sums.join(' ')).digest('hex').slice(0, 16)
  return `${side.count.toLocaleString('en')} · ${sum}`
}

/** Keys, foreign keys and sequences as the catalogue has them against the plan. */
export async function checkStructure(client: pg.Client, plan: Plan): Promise<Check[]> {
  const catalog = new Map((await readCatalog(client, plan.schema)).map((table) => [table.name, table]))
  const missing: string[] = []
  const unproved: string[] = []
  let keys = 0
  let foreignKeys = 0
  for (const table of plan.tables) {
    const found = catalog.get(table.target)
    if (table.primaryKey) {
      keys++
      if (found?.primaryKey?.columns.join() !== table.primaryKey.columns.join())
        missing.push(`key of ${table.target}`)
    }
    for (const key of table.foreignKeys) {
      foreignKeys++
      const match = found?.foreignKeys.find((one) => one.name === key.name)
      if (!match) missing.push(`${key.name} of ${table.target}`)
      else if (!match.validated)
        unproved.push(`${key.name} of ${table.target}: ${key.orphans} rows without their parent`)
    }
  }
  const structure: Check = {
    id: 'target-keys',
    title: 'Keys and foreign keys',
    state: missing.length > 0 ? 'red' : unproved.length > 0 ? 'amber' : 'green',
    detail:
      missing.length > 0
        ? `Missing: ${missing.join('; ')}.`
        : unproved.length > 0
          ? `Not valid for old rows: ${unproved.join('; ')}.`
          : `${keys} primary and ${foreignKeys} foreign keys stand and are valid.`,
    ...(missing.length > 0 && {
      remedy: 'Something outside of the run dropped them: cancel and start again.',
    }),
  }
  return [structure, await checkSequences(client, plan)]
}

async function checkSequences(client: pg.Client, plan: Plan): Promise<Check> {
  const behind: string[] = []
  const fed = plan.tables.filter((table) => table.identity)
  for (const table of fed) {
    const name = qualified(plan.schema, table.target)
    const column = table.identity?.column as string
    const { rows } = await client.query(
      `SELECT coalesce(pg_sequence_last_value(s.name::regclass) >= greatest(max(t."${column.replaceAll('"', '""')}"), $1::bigint, 1), max(t."${column.replaceAll('"', '""')}") IS NULL OR max(t."${column.replaceAll('"', '""')}") < 1) AS past
       FROM ${name} t, (SELECT pg_get_serial_sequence(${quoteLiteral(name)}, ${quoteLiteral(column)}) AS name) AS s GROUP BY s.name`,
      [table.identity?.last ?? null],
    )
    if (rows[0] && rows[0].past !== true) behind.push(table.target)
  }
  return {
    id: 'target-sequences',
    title: 'Sequences',
    state: behind.length === 0 ? 'green' : 'red',
    detail:
      behind.length === 0
        ? `${fed.length} sequences go on past the greatest id.`
        : `Behind the greatest id: ${behind.join(', ')}.`,
    ...(behind.length > 0 && {
      remedy: 'SELECT setval(pg_get_serial_sequence(…), max(id)) for these tables.',
    }),
  }
}
