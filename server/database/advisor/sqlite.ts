import type BetterSqlite3 from 'better-sqlite3'
import { type Candidate, candidatesFor, findsOneRow } from './candidates'
import { choose, type Option } from './choose'
import { createIndex, describeIndex } from './ddl'
import { demandsOf, type TableDemand } from './demands'
import { gather, type Judged } from './gather'
import { indexBytes } from './size'
import { copySchema, readSqliteTable, type SqliteTable, statOf, writeStats } from './sqlite-copy'
import { planOf, type SqlitePlan } from './sqlite-cost'
import { countIn } from './sqlite-sample'
import { readStatement, type Source } from './statement'
import type { Advised, AdviseOptions, NoneReason, WorkStatement } from './types'
import { usageOf } from './usage'

/** Tables of this few rows are read whole as quickly as through an index. */
const SMALL_ROWS = 500
const CANDIDATE = 'holdfast_candidate'

/**
 * The same for a SQLite file: statements are planned on a copy of its schema in memory, which is given the
 * statistics of the file, or what a sample of its rows tells where it was never analysed. The file is only read,
 * a few thousand rows a table.
 */
export function adviseSqliteIndexes(
  source: BetterSqlite3.Database,
  statements: readonly WorkStatement[],
  options: AdviseOptions = {},
): Advised {
  const copy = copySchema(source)
  try {
    const tables = new Map<string, SqliteTable | undefined>()
    const facts = (name: string): SqliteTable | undefined => {
      if (!tables.has(name)) {
        const table = readSqliteTable(source, name)
        if (table) writeStats(copy, source, table)
        tables.set(name, table)
      }
      return tables.get(name)
    }
    const sized = new Map<string, number>()
    const judged = statements.map((statement) => judge(copy, facts, statement, sized))
    const known = [...tables.values()].flatMap((table) => table ?? [])
    return { method: 'schema-copy', ...gather(judged, sized, known, options, { concurrently: false }) }
  } finally {
    copy.close()
  }
}

function judge(
  copy: BetterSqlite3.Database,
  facts: (name: string) => SqliteTable | undefined,
  statement: WorkStatement,
  sized: Map<string, number>,
): Judged {
  const none = (reason: NoneReason, because: string): Judged => ({
    verdict: { statement, index: null, none: reason, because, evidence: null },
    demands: [],
  })
  const { text } = statement
  const { kind, queries } = readStatement(text)
  if (queries.length === 0 && kind !== 'other') {
    return none('no-condition', 'It looks nothing up: there is no table that it searches.')
  }
  const tables = new Map<Source, SqliteTable>()
  for (const source of queries.flatMap((query) => query.sources)) {
    const table = facts(source.table)
    if (table) tables.set(source, table)
  }
  if (!planOf(copy, text, [])) return none('not-understood', 'SQLite cannot prepare this text by itself.')
  if (tables.size === 0) return none('no-table', 'It reads no table that an index can be made on.')
  const demands = queries.flatMap((query) => demandsOf(query, tables))
  for (const { demands: asked, source } of demands) {
    for (const demand of asked) {
      // Parameters have no value here: what holds none can be counted.
      if (/[?$:@]/.test(demand.text)) continue
      demand.rows = countIn(copy, tables.get(source) as SqliteTable, source.alias, demand.text)
    }
  }
  const before = planOf(copy, text, demands) as SqlitePlan
  const options = demands.flatMap((demand) =>
    candidatesFor(demand).flatMap((candidate) => {
      const costed = costWith(copy, text, candidate, demands, tables.get(demand.source) as SqliteTable)
      return costed
        ? [
            {
              candidate,
              costed,
              ordered: usageOf(candidate)?.ordered ?? false,
              read: before.cost,
            } satisfies Option,
          ]
        : []
    }),
  )
  const chosen = choose(before.cost, options)
  if (!chosen) return none(...whyNone(before, demands))
  const { shape } = chosen.candidate
  sized.set(describeIndex(shape), chosen.costed.bytes)
  return {
    demands,
    verdict: {
      statement,
      index: shape,
      none: null,
      because: `With an index on ${describeIndex(shape)} it reads about ${Math.ceil(chosen.costed.cost).toLocaleString('en')} rows instead of ${Math.ceil(before.cost).toLocaleString('en')}.`,
      evidence: {
        method: 'schema-copy',
        costBefore: before.cost,
        costAfter: chosen.costed.cost,
        planBefore: before.text,
        planAfter: chosen.costed.plan.replaceAll(CANDIDATE, 'the new index'),
      },
    },
  }
}

function costWith(
  copy: BetterSqlite3.Database,
  text: string,
  { shape, demand }: Candidate,
  demands: TableDemand[],
  table: SqliteTable,
): Option['costed'] | undefined {
  const part = shape.where === null ? null : countIn(copy, table, demand.source.alias, shape.where)
  const held = part ?? table.rows
  try {
    copy.exec(createIndex({ ...shape, schema: null }, CANDIDATE, false))
  } catch {
    // An expression that is not deterministic.
    return undefined
  }
  try {
    const keys = shape.keys.map(({ name }) => name)
    copy
      .prepare('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)')
      .run(table.name, CANDIDATE, statOf(table, keys, held))
    copy.exec('ANALYZE sqlite_schema')
    const plan = planOf(copy, text, demands, { name: CANDIDATE, held })
    if (!plan?.uses.includes(CANDIDATE)) return undefined
    return { cost: plan.cost, plan: plan.text, bytes: indexBytes(shape, table, held) }
  } finally {
    copy.exec(`DROP INDEX ${CANDIDATE}`)
    copy.prepare('DELETE FROM sqlite_stat1 WHERE idx = ?').run(CANDIDATE)
  }
}

function whyNone(before: SqlitePlan, demands: TableDemand[]): [NoneReason, string] {
  const [largest] = [...demands].sort((a, b) => b.table.rows - a.table.rows)
  const name = largest?.table.name ?? 'the table'
  if (demands.every(({ demands: asked, order }) => asked.length === 0 && order.length === 0)) {
    return [
      'no-condition',
      `It reads all of ${name}: there is no condition and no order that an index could serve.`,
    ]
  }
  if ((largest?.table.rows ?? 0) <= SMALL_ROWS) {
    return [
      'small-table',
      `${name} has ${largest?.table.rows} rows: reading it whole is as quick as an index.`,
    ]
  }
  if (demands.some(findsOneRow) || before.uses.length > 0 || /PRIMARY KEY/.test(before.text)) {
    return [
      'indexed-already',
      `It is served already (${before.text.split('\n')[0]}), and no other index would be a third of the cost.`,
    ]
  }
  return [
    'not-selective',
    `Its conditions leave too many of the rows of ${name}: reading through an index would cost as much.`,
  ]
}
