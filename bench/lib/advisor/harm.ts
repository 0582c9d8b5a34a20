import { Client } from 'pg'
import type { PostgresServer } from '@/db/testing/servers'
import type { IndexAdvice } from '@/server/database'
import { type Case, compareAfresh, drop, make, measureAgain, timeOf } from './cases'
import { type Compared, compare } from './compare'
import { nameOf, type Plans, prepare } from './prepared'
import { sampleStatement } from './timing'
import type { Labelled, Work } from './work'
import { tidy, timeWrites } from './writes'

/** Applied advice that makes something take more than this is harmful (docs/decisions/0013-harm-of-index-advice.md). */
const HARM = 1.1
/** Milliseconds above which planning among more indexes cannot be a tenth: an equal plan then takes equal time. */
const PLANNING_MATTERS = 20
/** Pairs of writes after which both tables are tidied. */
const TIDIED = 5

export interface Harm {
  /** What single pieces slow. */
  harmed: string[]
  /** Of all that was looked at with every piece of a set applied: how much became slower, and at most how much. */
  together: { slower: number; of: number; worst: number }
}

interface Sides {
  work: Work
  plain: Client
  plans: ReadonlyMap<Labelled, Plans>
  /** A new connection to the copy: nothing is prepared or cached there of the time before. */
  open: () => Promise<Client>
  /** The same to the original. */
  openPlain: () => Promise<Client>
}

type Measured = { of: Case; compared: Compared[] }

/**
 * Applies advice to a copy of the database, each piece alone or after those it needs, and then all of a set, and
 * measures statements and writes on both in turn. What a single piece seems to slow is measured again, on the copy
 * alone, with the index and without. Nobody may be connected to the work's database.
 */
export async function measureHarm(
  server: PostgresServer,
  work: Work,
  url: string,
  sets: IndexAdvice[][],
): Promise<Harm> {
  const copy = `${work.name}_advised`
  await server.query(`CREATE DATABASE ${copy} TEMPLATE ${work.name} STRATEGY file_copy`)
  const plain = await connect(url)
  try {
    const plans = new Map<Labelled, Plans>()
    for (const statement of work.statements) plans.set(statement, await prepare(plain, statement))
    const open = () => connect(url.replace(/\/[^/]*$/, `/${copy}`))
    const openPlain = () => connect(url)
    const sides = { work, plain, plans, open, openPlain }
    const pieces = new Map(sets.flat().map((piece) => [piece.ddl, piece]))
    const harmed: string[] = []
    for (const piece of pieces.values()) harmed.push(...(await harmOf(sides, withFirst(piece, sets))))
    const different = new Map(sets.map((set) => [[...set.map(({ ddl }) => ddl)].sort().join('\n'), set]))
    const together = { slower: 0, of: 0, worst: 1 }
    for (const set of different.values()) {
      const ratios = await ratiosOfAll(sides, set)
      together.slower += ratios.filter((ratio) => ratio > HARM).length
      together.of += work.statements.length + writesTo(work, set).flatMap(({ names }) => names).length
      together.worst = Math.max(together.worst, ...ratios)
    }
    return { harmed, together }
  } finally {
    await plain.end()
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return client
}

/** A piece alone, with those that it says must be made before it: nobody can make it without them. */
function withFirst(piece: IndexAdvice, sets: IndexAdvice[][]): IndexAdvice[] {
  const set = sets.find((each) => each.includes(piece)) ?? []
  const first = set.filter(({ name }) => piece.after.includes(name))
  return [...new Set([...first.flatMap((each) => withFirst(each, sets)), piece])]
}

async function harmOf(sides: Sides, advice: IndexAdvice[]): Promise<string[]> {
  const made = advice.map(({ ddl }) => ddl).join('; ')
  await make(sides.open, advice)
  const measured = await measure(sides, advice, made)
  const suspects = measured.filter(({ compared }) => compared.some(({ ratio }) => ratio > HARM))
  const again = await measureAgain(
    sides.open,
    advice,
    suspects.map((each) => each.of),
    HARM,
  )
  await drop(sides.open, advice)
  return suspects.flatMap(({ of, compared }, at) =>
    of.names.flatMap((name, kind) => {
      const [first, second] = [compared[kind], again[at]?.[kind]]
      if (!first || !second || first.ratio <= HARM) return []
      const line = `${name}: ${told(first)}; again ${told(second)}, with ${made}`
      if (second.ratio > HARM) return [line]
      console.log(`    noise: ${line}`)
      return []
    }),
  )
}

const told = ({ ratio, before, after, pairs }: Compared): string =>
  `${before.toFixed(2)} → ${after.toFixed(2)} ms, ${ratio.toFixed(2)} in ${pairs} pairs`

async function ratiosOfAll(sides: Sides, advice: IndexAdvice[]): Promise<number[]> {
  await make(sides.open, advice)
  const measured = await measure(sides, advice, `all ${advice.length} at once`)
  for (const each of measured.filter(({ compared }) => compared.some(({ ratio }) => ratio > HARM))) {
    each.compared = await compareAfresh(sides.openPlain, sides.open, each.of, HARM)
  }
  await drop(sides.open, advice)
  for (const { of, compared } of measured) {
    for (const [kind, each] of compared.entries()) {
      if (each.ratio > HARM) console.log(`TOGETHER ${sides.work.name}: ${of.names[kind]}: ${told(each)}`)
    }
  }
  return measured.flatMap(({ compared }) => compared.map(({ ratio }) => ratio))
}

/** Compares the original with the copy, to which the advice is applied. */
async function measure(sides: Sides, advice: IndexAdvice[], made: string): Promise<Measured[]> {
  const advised = await sides.open()
  try {
    const measured: Measured[] = []
    const cases = [...(await changedReads(sides, advised, advice)), ...writesTo(sides.work, advice)]
    for (const of of cases) {
      for (const client of [sides.plain, advised]) await of.ready(client)
      const compared = await compare(timeOf(of, sides.plain), timeOf(of, advised), HARM)
      measured.push({ of, compared })
    }
    const lines = measured.flatMap(({ of, compared }) =>
      compared.map((each, kind) => `    ${of.names[kind]}: ${told(each)}`),
    )
    console.log([made, ...lines].join('\n'))
    return measured
  } finally {
    await advised.end()
  }
}

/**
 * Statements of which the time can have changed: those with another plan, and quick ones that the server goes on
 * planning. Those on other tables are as they were.
 */
async function changedReads(
  { work, plain, plans }: Sides,
  advised: Client,
  advice: IndexAdvice[],
): Promise<Case[]> {
  const cases: Case[] = []
  const tables = new RegExp(`\\b(${advice.map(({ index }) => index.table).join('|')})\\b`)
  for (const statement of work.statements.filter(({ text }) => tables.test(text))) {
    const [was, is] = [plans.get(statement), await prepare(advised, statement)]
    const named = { ...statement, name: nameOf(statement.text) }
    if (was?.shape === is.shape) {
      // What a write costs with one index more is measured with its commit, as a write to its table.
      if (!/^\s*(SELECT|WITH)\b/i.test(statement.text) || !(was.again || is.again)) continue
      if ((await sampleStatement(plain, named)) > PLANNING_MATTERS) continue
    }
    cases.push({
      names: [statement.name],
      ready: async (client) => void (await prepare(client, statement)),
      time: async (client) => [await sampleStatement(client, named)],
    })
  }
  return cases
}

/** What is written to the tables that get an index. */
function writesTo(work: Work, advice: IndexAdvice[]): Case[] {
  return [...new Set(advice.map(({ index }) => index.table))].map((table) => {
    const writes = work.writes[table]
    if (!writes) throw new Error(`What is written to ${table} is not known here.`)
    let timed = 0
    return {
      names: writes.texts.map((text, kind) => `${text.split(' ', 1)[0]} ${kind + 1} of ${table}`),
      ready: (client) => tidy(client, table),
      time: async (client) => {
        const times = await timeWrites(client, table, writes)
        timed++
        if (Math.ceil(timed / 2) % TIDIED === 0) await tidy(client, table)
        return times
      },
    }
  })
}
