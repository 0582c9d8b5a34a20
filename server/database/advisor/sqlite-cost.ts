import type BetterSqlite3 from 'better-sqlite3'
import { isEquality, type TableDemand } from './demands'
import { tokenise } from './tokens'

/** SQLite names its steps and no costs: they are counted here, in rows that are read one after the other. */

export interface SqlitePlan {
  cost: number
  text: string
  /** Index names that it uses. */
  uses: string[]
}

/** The index that isn't there, and how many rows it would hold. */
export interface Held {
  name: string
  held: number
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
  candidate?: Held,
): SqlitePlan | undefined {
  let steps: { id: number; parent: number; detail: string }[]
  try {
    const { sql, count } = positional(text)
    steps = copy.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(Array(count).fill(null)) as typeof steps
  } catch {
    return undefined
  }
  return {
    cost: costOf(
      steps.map(({ detail }) => detail),
      demands,
      candidate,
    ),
    text: steps.map(({ detail }) => detail).join('\n'),
    uses: steps.flatMap(({ detail }) => /USING (?:COVERING )?INDEX (\S+)/.exec(detail)?.[1] ?? []),
  }
}

/** Every parameter as ?, and how many there are: a value must be bound to each, though none is looked at. */
function positional(text: string): { sql: string; count: number } {
  let sql = ''
  let at = 0
  let count = 0
  for (const token of tokenise(text)) {
    if (token.kind !== 'param') continue
    sql += `${text.slice(at, token.start)}?`
    at = token.end
    count++
  }
  return { sql: sql + text.slice(at), count }
}

function costOf(details: string[], demands: TableDemand[], candidate?: Held): number {
  let cost = 0
  let loops = 1
  let sorted = true
  for (const detail of details) {
    const step = /^(SCAN|SEARCH) (\S+)/.exec(detail)
    if (step) {
      const demand = demands.find(({ source }) => source.alias === step[2] || source.table === step[2])
      if (!demand) continue
      const held = candidate && detail.includes(candidate.name) ? candidate.held : demand.table.rows
      const read = rowsRead(detail, demand, held)
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
function rowsRead(detail: string, { table, demands }: TableDemand, held: number): number {
  const asked = /\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$/.exec(detail)?.[1]
  if (detail.startsWith('SCAN') || !asked) return held
  if (/rowid=\?/.test(asked)) return 1
  let share = 1
  for (const part of asked.split(' AND ')) {
    const [, name = '', mark] = /^(\S+?)\s*([=<>])/.exec(part) ?? []
    const facts = table.columns.get(name)
    const known = demands.find((each) => each.facts.name === name && each.rows !== null)
    // Of a key that is skipped every value is tried.
    if (part.startsWith('ANY(')) continue
    if (known?.rows !== null && known?.rows !== undefined && mark)
      share *= known.rows / Math.max(1, table.rows)
    else if (mark === '=') share *= 1 / Math.max(1, facts?.distinct ?? 10)
    else share *= RANGE_SHARE
  }
  return Math.max(1, share * held)
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
