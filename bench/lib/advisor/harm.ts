import { Client } from 'pg'
import type { PostgresServer } from '@/db/testing/servers'
import type { IndexAdvice } from '@/server/database'
import { type Compared, compare } from './compare'
import { planShape, sampleStatement } from './timing'
import type { Labelled, Work } from './work'
import { timeWrites } from './writes'

/** Applied advice that makes something take more than this is harmful. */
const HARM = 1.1
/** Milliseconds above which planning among more indexes cannot be a tenth: an equal plan then takes equal time. */
const PLANNING_MATTERS = 20

interface Sides {
  work: Work
  plain: Client
  advised: Client
}

/**
 * Applies advice to a copy of the database, each piece alone or after those it needs, and then all of a set, and
 * measures statements and writes on both in turn. Resolves to what it harmed. Nobody may be connected to the
 * work's database.
 */
export async function measureHarm(
  server: PostgresServer,
  work: Work,
  url: string,
  sets: IndexAdvice[][],
): Promise<string[]> {
  const copy = `${work.name}_advised`
  await server.query(`CREATE DATABASE ${copy} TEMPLATE ${work.name} STRATEGY file_copy`)
  const plain = new Client({ connectionString: url })
  const advised = new Client({ connectionString: url.replace(/\/[^/]*$/, `/${copy}`) })
  await Promise.all([plain.connect(), advised.connect()])
  try {
    const sides = { work, plain, advised }
    const pieces = new Map(sets.flat().map((piece) => [piece.ddl, piece]))
    const harmed: string[] = []
    for (const piece of pieces.values()) harmed.push(...(await applied(sides, withFirst(piece, sets), false)))
    const different = new Map(sets.map((set) => [[...set.map(({ ddl }) => ddl)].sort().join('\n'), set]))
    for (const set of different.values()) harmed.push(...(await applied(sides, set, true)))
    return harmed
  } finally {
    await Promise.all([plain.end(), advised.end()])
  }
}

/** A piece alone, with those that it says must be made before it: nobody can make it without them. */
function withFirst(piece: IndexAdvice, sets: IndexAdvice[][]): IndexAdvice[] {
  const set = sets.find((each) => each.includes(piece)) ?? []
  const first = set.filter(({ name }) => piece.after.includes(name))
  return [...new Set([...first.flatMap((each) => withFirst(each, sets)), piece])]
}

/** Statements whose plan changed, or all of them; and what is written to the tables that got an index. */
async function applied(sides: Sides, advice: IndexAdvice[], all: boolean): Promise<string[]> {
  const { work, advised } = sides
  for (const { ddl } of advice) await advised.query(ddl)
  const made = all ? `all ${advice.length} at once` : advice.map(({ ddl }) => ddl).join('; ')
  const harmed: string[] = []
  const told: string[] = []
  const judge = (what: string, compared: Compared): void => {
    const { ratio, before, after, pairs } = compared
    told.push(`${what} ${before.toFixed(2)} → ${after.toFixed(2)} ms`)
    if (ratio <= HARM) return
    harmed.push(`${what}: ${ratio.toFixed(2)} of the time in ${pairs} pairs, with ${made}`)
  }
  for (const statement of work.statements) {
    const compared = await compareStatement(sides, statement, all)
    if (compared) judge(statement.name, compared)
  }
  for (const table of new Set(advice.map(({ index }) => index.table))) {
    const writes = work.writes[table]
    if (!writes) throw new Error(`What is written to ${table} is not known here.`)
    const time = (client: Client) => () => timeWrites(client, table, writes)
    const kinds = await compare(time(sides.plain), time(advised), HARM)
    for (const [kind, compared] of kinds.entries()) {
      judge(`${writes.texts[kind]?.split(' ', 1)[0]} ${kind + 1} of ${table}`, compared)
    }
  }
  for (const { undo } of advice) await advised.query(undo)
  console.log(`${made}\n    ${told.join('\n    ')}`)
  return harmed
}

/** Undefined when the statement takes the same time for sure: its plan is the same, and planning it is no part of it. */
async function compareStatement(
  { plain, advised }: Sides,
  statement: Labelled,
  all: boolean,
): Promise<Compared | undefined> {
  const same = (await planShape(plain, statement)) === (await planShape(advised, statement))
  const reads = /^\s*(SELECT|WITH)\b/i.test(statement.text)
  // What a write costs with one index more is measured with its commit, as a write to its table.
  if (same && (!all || !reads)) return undefined
  if (same && (await sampleStatement(plain, statement)) > PLANNING_MATTERS) return undefined
  const time = (client: Client) => async () => [await sampleStatement(client, statement)]
  const [compared] = await compare(time(plain), time(advised), HARM)
  return compared
}
