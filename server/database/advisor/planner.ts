import { isMark, treeOf } from './syntax'

/** A connection of one's own to PostgreSQL: what pg's Client is. Nobody else may use it meanwhile. */
export interface PrivateConnection {
  query(query: {
    text: string
    values?: unknown[]
    queryMode?: 'extended'
  }): Promise<{ rows: Record<string, unknown>[] }>
}

/** A node of EXPLAIN (FORMAT JSON), as far as it is read here. */
export interface PlanNode {
  'Node Type': string
  Alias?: string
  'Relation Name'?: string
  'Index Name'?: string
  'Startup Cost': number
  'Total Cost': number
  'Plan Rows': number
  'Parent Relationship'?: string
  'Index Cond'?: string
  'Recheck Cond'?: string
  'Hash Cond'?: string
  'Merge Cond'?: string
  'Join Filter'?: string
  Filter?: string
  'Sort Key'?: string[]
  'Subplan Name'?: string
  Plans?: PlanNode[]
}

/**
 * Runs `work` in a read-only transaction in which every statement is planned for any values, as a prepared one
 * is after its fifth run. It is rolled back: nothing stays.
 */
export async function planning<T>(connection: PrivateConnection, work: () => Promise<T>): Promise<T> {
  await run(connection, 'BEGIN TRANSACTION READ ONLY')
  try {
    await run(connection, "SET LOCAL plan_cache_mode = 'force_generic_plan'")
    await run(connection, "SET LOCAL statement_timeout = '10s'")
    return await work()
  } finally {
    await run(connection, 'ROLLBACK')
    // What was prepared outlives the transaction.
    await run(connection, 'DEALLOCATE ALL')
  }
}

/** One command and no more: with the extended protocol the server refuses a second one in the same text. */
export async function run(
  connection: PrivateConnection,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  return (await connection.query({ text, values, queryMode: 'extended' })).rows
}

/**
 * The plan of a statement for any values, without running it. Undefined when the server cannot plan it: no
 * SELECT or change of rows, tables that are gone, parameters whose type it cannot tell. Only inside `planning`.
 */
export async function explain(connection: PrivateConnection, text: string): Promise<PlanNode | undefined> {
  if (treeOf(text).some((node) => isMark(node, ';'))) return undefined
  await run(connection, 'SAVEPOINT plan')
  try {
    // Prepared again every time: a plan that is kept would not see an index that is new.
    await run(connection, `PREPARE holdfast_plan AS ${text}`)
    const [types] = await run(
      connection,
      "SELECT cardinality(parameter_types) AS n FROM pg_prepared_statements WHERE name = 'holdfast_plan'",
    )
    const nulls = Array.from({ length: Number(types?.n ?? 0) }, () => 'NULL').join(', ')
    const [row] = await run(
      connection,
      `EXPLAIN (FORMAT JSON) EXECUTE holdfast_plan${nulls && ` (${nulls})`}`,
    )
    await run(connection, 'DEALLOCATE holdfast_plan')
    await run(connection, 'RELEASE SAVEPOINT plan')
    const plan = row?.['QUERY PLAN'] as { Plan: PlanNode }[] | undefined
    return plan?.[0]?.Plan
  } catch (error) {
    if (!isSqlError(error)) throw error
    await run(connection, 'ROLLBACK TO SAVEPOINT plan')
    // A prepared statement outlives the rollback.
    await run(connection, 'DEALLOCATE ALL')
    return undefined
  }
}

/**
 * The server understood and refused, or planning took too long, and the connection goes on: not what a lost
 * connection throws.
 */
export function isSqlError(error: unknown): boolean {
  return (error as { severity?: string }).severity === 'ERROR'
}

/** How many rows a condition on one table leaves, in the planner's own estimate. */
export async function rowsWhere(
  connection: PrivateConnection,
  from: string,
  conditions: string[],
): Promise<number | undefined> {
  const plan = await explain(
    connection,
    renumbered(`SELECT 1 FROM ${from} WHERE ${conditions.map((each) => `(${each})`).join(' AND ')}`),
  )
  return plan?.['Plan Rows']
}

/** A condition taken out of its statement may begin at $3: parameters are counted from $1 again. */
export function renumbered(sql: string): string {
  const numbers = new Map<string, number>()
  return sql.replace(/'(?:[^']|'')*'|\$(\d+)/g, (match, number?: string) => {
    if (number === undefined) return match
    if (!numbers.has(number)) numbers.set(number, numbers.size + 1)
    return `$${numbers.get(number)}`
  })
}

/** A plan as indented lines, with its costs and conditions. */
export function planText(node: PlanNode, depth = 0): string {
  const on = node['Relation Name']
    ? ` on ${node['Relation Name']}${node.Alias !== node['Relation Name'] ? ` ${node.Alias}` : ''}`
    : ''
  const using = node['Index Name'] ? ` using ${node['Index Name'].replace(/^<\d+>/, '')}` : ''
  const indent = '  '.repeat(depth)
  const details = (
    [
      ['Index Cond', node['Index Cond']],
      ['Filter', node.Filter],
      ['Sort Key', node['Sort Key']?.join(', ')],
    ] as const
  )
    .filter(([, text]) => text)
    .map(([label, text]) => `${indent}    ${label}: ${text}`)
  const line = `${indent}${node['Node Type']}${using}${on}  (cost ${node['Total Cost'].toFixed(0)}, rows ${node['Plan Rows']})`
  return [line, ...details, ...(node.Plans ?? []).map((child) => planText(child, depth + 1))].join('\n')
}
