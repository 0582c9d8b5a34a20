import { accessCost, type CostSettings } from './access'
import type { Candidate } from './candidates'
import { createIndex } from './ddl'
import { withoutAlias } from './demands'
import { statementCost, useIn } from './estimate'
import { indexable, rowsOfOneValue } from './expressions'
import { quoteName } from './normalise'
import {
  explain,
  isSqlError,
  type PlanNode,
  type PrivateConnection,
  planText,
  rowsWhere,
  run,
} from './planner'
import { indexBytes } from './size'
import type { Evidence, TableFacts } from './types'
import { covers } from './usage'

export interface Costed {
  cost: number
  plan: string
  bytes: number
}

/** Tells what a statement would cost with an index that isn't there; undefined when the index is no use to it. */
export interface Coster {
  method: Evidence['method']
  cost(text: string, before: PlanNode, candidate: Candidate): Promise<Costed | undefined>
}

/** HypoPG where it is installed in the database, the statistics otherwise. Only inside `planning`. */
export async function openCoster(connection: PrivateConnection, only?: Evidence['method']): Promise<Coster> {
  const [found] = await run(connection, "SELECT 1 FROM pg_extension WHERE extname = 'hypopg'")
  const statistics = fromStatistics(connection, await costSettings(connection))
  return found && only !== 'statistics' ? hypothetical(connection, statistics) : statistics
}

/** Hypothetical indexes live in this connection alone, and the planner treats them as real ones. */
function hypothetical(connection: PrivateConnection, statistics: Coster): Coster {
  return {
    method: 'hypopg',
    async cost(text, before, candidate) {
      const { shape } = candidate
      // Of an expression there are no statistics before its index is made: the planner would guess.
      if (shape.keys.some(({ expression }) => expression)) return statistics.cost(text, before, candidate)
      await run(connection, 'SAVEPOINT hypothetical')
      try {
        const [made] = await run(
          connection,
          'SELECT h.indexrelid, hypopg_relation_size(h.indexrelid) AS bytes FROM hypopg_create_index($1) h',
          [createIndex(shape, 'hypothetical', false).replace(' hypothetical ON', ' ON')],
        )
        const plan = await explain(connection, text)
        if (!plan || plan['Total Cost'] >= before['Total Cost']) return undefined
        return { cost: plan['Total Cost'], plan: planText(plan), bytes: Number(made?.bytes ?? 0) }
      } catch (error) {
        // An expression that may not be indexed, or a type without a B-tree.
        if (!isSqlError(error)) throw error
        await run(connection, 'ROLLBACK TO SAVEPOINT hypothetical')
        return undefined
      } finally {
        await run(connection, 'SELECT hypopg_reset()')
      }
    },
  }
}

/** Parameters that stand for another table's column: numbered beyond those of any statement. */
const LOOKUP = 90_000

function fromStatistics(connection: PrivateConnection, settings: CostSettings): Coster {
  const known = new Map<string, number | undefined>()
  const count = async (from: string, conditions: string[]): Promise<number | undefined> => {
    const key = [from, ...conditions].join('\n')
    if (!known.has(key)) known.set(key, await rowsWhere(connection, from, conditions))
    return known.get(key)
  }
  const sampled = new Map<string, number | undefined>()
  const rowsOf = async (table: TableFacts, name: string): Promise<number | undefined> => {
    const key = `${table.schema ?? ''}.${table.name}: ${name}`
    if (!sampled.has(key)) sampled.set(key, await rowsOfOneValue(connection, table, name))
    return sampled.get(key)
  }
  return {
    method: 'statistics',
    async cost(_text, before, candidate) {
      const use = useIn(before, candidate)
      if (!use) return undefined
      const { shape, demand } = candidate
      const expressions = shape.keys.filter(({ expression }) => expression).map(({ name }) => name)
      for (const name of expressions) if (!(await indexable(connection, name))) return undefined
      const { source, table } = demand
      const from = `${source.schema ? `${quoteName(source.schema)}.` : ''}${quoteName(source.table)} AS ${quoteName(source.alias)}`
      const part = shape.where === null ? [] : [shape.where]
      const held = shape.where === null ? table.rows : ((await count(from, part)) ?? table.rows)
      // A look-up by another table's column finds as many rows as a value of it has.
      const asked = use.conditions.map((each, at) =>
        each.kind === 'join' ? `${quoteName(each.facts.name)} = $${LOOKUP + at}` : each.text,
      )
      const conditions = [...new Set([...part, ...asked])]
      const counted = conditions.length === 0 ? held : ((await count(from, conditions)) ?? held)
      let found = counted
      for (const name of expressions) found = Math.min(found, (await rowsOf(table, name)) ?? found)
      const cost = statementCost(before, candidate, use, { found, held }, settings)
      if (cost >= before['Total Cost']) return undefined
      const way = covers(candidate) ? 'Index Only Scan' : 'Index Scan'
      const asks = use.conditions.map(({ text }) => withoutAlias(text, source.alias)).join(' AND ')
      const read = accessCost(candidate, { found, held }, settings, { bitmap: true })
      return {
        cost,
        plan: [
          `${way} on ${table.name} by the new index  (cost ${read.toFixed(0)} a read, rows ${Math.round(found)})`,
          ...(asks ? [`    Index Cond: ${asks}`] : []),
          ...(use.ordered ? ['    in the order asked for, without a sort'] : []),
        ].join('\n'),
        bytes: indexBytes(shape, table, held),
      }
    },
  }
}

async function costSettings(connection: PrivateConnection): Promise<CostSettings> {
  const [row] = await run(
    connection,
    `SELECT current_setting('seq_page_cost') AS seq, current_setting('random_page_cost') AS random,
            current_setting('cpu_tuple_cost') AS tuple, current_setting('cpu_index_tuple_cost') AS entry,
            current_setting('cpu_operator_cost') AS operator,
            (SELECT setting FROM pg_settings WHERE name = 'effective_cache_size') AS cache`,
  )
  return {
    seqPage: Number(row?.seq),
    randomPage: Number(row?.random),
    cpuTuple: Number(row?.tuple),
    cpuIndexTuple: Number(row?.entry),
    cpuOperator: Number(row?.operator),
    cachePages: Number(row?.cache),
  }
}
