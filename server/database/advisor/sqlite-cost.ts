import type BetterSqlite3 from 'better-sqlite3'
import { isEquality, type TableDemand } from './demands'
import type { SqliteTable } from './sqlite-copy'

/** SQLite names its steps and no costs: they are counted here, in rows that are read one after the other. */

export interface SqlitePlan {
  cost: number
  text: string
  /** Index names that it uses. */
  uses: string[]
}

/** A row fetched through an index lies anywhere in the file; one found in the index itself does not. */
const ROW = { scanned: 1, fetched: 4, covered: 1.2 }
/** Share of rows that a range leaves, whose bounds nobody knows: what SQLite takes for one bound. */
const RANGE_SHARE = 0.25
/** A LIMIT whose number is a parameter is taken for a page of this many rows. */
const PAGE_ROWS = 50

/** How SQLite would run a statement on the copy; undefined when it cannot prepare it. */
export function planOf(
  copy: BetterSqlite3.Database,
  text: string,
  demands: TableDemand[],
): SqlitePlan | undefined {
  let steps: { id: number; parent: number; detail: string }[]
  try {
    steps = copy.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as typeof steps
  } catch {
    return undefined
  }
  return {
    cost: costOf(
      steps.map(({ detail }) => detail),
      demands,
    ),
    text: steps.map(({ detail }) => detail).join('\n'),
    uses: steps.flatMap(({ detail }) => /USING (?:COVERING )?INDEX (\S+)/.exec(detail)?.[1] ?? []),
  }
}

function costOf(details: string[], demands: TableDemand[]): number {
  let cost = 0
  let loops = 1
  let sorted = true
  for (const detail of details) {
    const step = /^(SCAN|SEARCH) (\S+)/.exec(detail)
    if (step) {
      const demand = demands.find(({ source }) => source.alias === step[2] || source.table === step[2])
      if (!demand) continue
      const read = rowsRead(detail, demand)
      const each = detail.includes('COVERING INDEX')
        ? ROW.covered
        : /USING INDEX/.test(detail)
          ? ROW.fetched
          : ROW.scanned
      const descent = step[1] === 'SEARCH' ? Math.log2(Math.max(2, demand.table.rows)) : 0
      cost += loops * (descent + read * each)
      loops *= Math.max(0.01, Math.min(read, rowsLeft(demand)))
    } else if (/AUTOMATIC/.test(detail)) cost += loops
    else if (/USE TEMP B-TREE FOR ORDER BY/.test(detail)) {
      sorted = false
      cost += loops * Math.log2(Math.max(2, loops))
    } else if (/USE TEMP B-TREE/.test(detail)) cost += loops
  }
  const [first] = demands
  // Rows in order end the reading when the limit is reached.
  const stops = demands.length === 1 && first?.query.limited && sorted && first.query.group.length === 0
  return stops ? cost * Math.min(1, PAGE_ROWS / Math.max(1, loops)) : cost
}

/** Rows that one step of the plan reads: those that its equalities and its range leave. */
function rowsRead(detail: string, { table, demands }: TableDemand): number {
  const asked = /\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$/.exec(detail)?.[1]
  if (detail.startsWith('SCAN') || !asked) return table.rows
  if (/rowid=\?/.test(asked)) return 1
  let share = 1
  for (const part of asked.split(' AND ')) {
    const [, name = '', mark] = /^(\S+?)\s*([=<>])/.exec(part) ?? []
    const facts = table.columns.get(name)
    const known = demands.find((each) => each.facts.name === name && each.rows !== null)
    if (known?.rows !== null && known?.rows !== undefined && mark)
      share *= known.rows / Math.max(1, table.rows)
    else if (mark === '=') share *= 1 / Math.max(1, facts?.distinct ?? 10)
    else share *= RANGE_SHARE
  }
  return Math.max(1, share * table.rows)
}

/** Rows that all conditions on a table leave together. */
function rowsLeft({ table, demands }: TableDemand): number {
  const share = demands.reduce((product, demand) => {
    if (demand.rows !== null) return product * (demand.rows / Math.max(1, table.rows))
    if (isEquality(demand) || demand.kind === 'join')
      return product / Math.max(1, demand.facts.distinct ?? 10)
    return demand.kind === 'range' ? product * RANGE_SHARE : product
  }, 1)
  return share * table.rows
}

/** How many rows of the table a condition without parameters leaves, told from the sample. */
export function countIn(
  scratch: BetterSqlite3.Database,
  table: SqliteTable,
  alias: string,
  condition: string,
): number | null {
  if (table.sample.length === 0) return 0
  const names = [...table.columns.keys()]
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
  try {
    scratch.exec(`CREATE TEMP TABLE sample (${names.map(quoted).join(', ')})`)
    const insert = scratch.prepare(`INSERT INTO sample VALUES (${names.map(() => '?').join(', ')})`)
    scratch.transaction(() => {
      for (const row of table.sample) insert.run(names.map((name) => row[name]))
    })()
    const found = scratch
      .prepare(`SELECT count(*) FROM sample AS ${quoted(alias)} WHERE ${condition}`)
      .pluck()
      .get() as number
    return (found / table.sample.length) * table.rows
  } catch {
    return null
  } finally {
    scratch.exec('DROP TABLE IF EXISTS temp.sample')
  }
}
