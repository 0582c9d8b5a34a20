import type { Client } from 'pg'
import { planShape, timeStatement, withIndex } from './timing'
import type { Labelled } from './work'

/** A right index makes its statement at least this much faster; beside a 'none' no candidate reaches the other. */
const RIGHT = 2
const NONE = 1.3
/** Times that what seems refuted is timed again before it counts. */
const AGAIN = 5

interface Plain {
  time: number
  plan: string
}

/** Proves labels by timing and prints each; resolves to how many failed. */
export async function proveLabels(client: Client, statements: readonly Labelled[]): Promise<number> {
  const before = new Map<Labelled, Plain>()
  for (const statement of statements) {
    before.set(statement, {
      plan: await planShape(client, statement),
      time: await timeStatement(client, statement),
    })
  }
  let failed = 0
  const judge = (fails: boolean, statement: Labelled, ratio: number, what: string): void => {
    if (fails) failed++
    const word = fails ? 'WRONG' : statement.right.length > 0 ? 'right' : 'none'
    const time = before.get(statement)?.time ?? 0
    console.log(
      `${word.padEnd(5)} ${ratio.toFixed(2).padStart(8)}× of ${time.toFixed(2).padStart(8)} ms  ${statement.name}: ${what}`,
    )
  }
  const best = new Map<Labelled, { ratio: number; index: string }>()
  for (const [index, served] of byIndex(statements)) {
    for (const [statement, once] of await gainsOf(client, index, served, before)) {
      const labelled = statement.right.length > 0
      const limit = labelled ? RIGHT : NONE
      const doubted = labelled ? once < limit : once >= limit
      const ratio = doubted ? await gainAgain(client, index, statement) : once
      if (labelled) judge(ratio < RIGHT, statement, ratio, index)
      else if (ratio > (best.get(statement)?.ratio ?? 0)) best.set(statement, { ratio, index })
    }
  }
  for (const statement of statements) {
    if (statement.right.length > 0) continue
    const found = best.get(statement)
    judge(!found || found.ratio >= NONE, statement, found?.ratio ?? 0, `at most by ${found?.index}`)
  }
  return failed
}

/** How much faster each statement is with the index. With the same plan it takes the same time: 1. */
function gainsOf(
  client: Client,
  index: string,
  statements: Labelled[],
  before: ReadonlyMap<Labelled, Plain>,
): Promise<[Labelled, number][]> {
  return withIndex(client, index, async () => {
    const gains: [Labelled, number][] = []
    for (const statement of statements) {
      const was = before.get(statement)
      const same = !was || (await planShape(client, statement)) === was.plan
      gains.push([statement, same ? 1 : was.time / (await timeStatement(client, statement))])
    }
    return gains
  })
}

/** The best time without the index over the best with it, taken in turn: noise goes, a gain stays. */
async function gainAgain(client: Client, index: string, statement: Labelled): Promise<number> {
  let [without, with_] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < AGAIN; round++) {
    without = Math.min(without, await timeStatement(client, statement))
    await withIndex(client, index, async () => {
      with_ = Math.min(with_, await timeStatement(client, statement))
    })
  }
  return without / with_
}

/** Every index to try, each once, with the statements whose label it is, or whose 'none' it may refute. */
function byIndex(statements: readonly Labelled[]): Map<string, Labelled[]> {
  const found = new Map<string, Labelled[]>()
  for (const statement of statements) {
    const candidates = statement.right.length > 0 ? statement.right : pairs(statement.tried ?? {})
    for (const index of candidates) found.set(index, [...(found.get(index) ?? []), statement])
  }
  return found
}

function pairs(tried: Record<string, string[]>): string[] {
  return Object.entries(tried).flatMap(([table, columns]) =>
    columns.flatMap((first) => [
      `${table} (${first})`,
      ...columns.filter((second) => second !== first).map((second) => `${table} (${first}, ${second})`),
    ]),
  )
}
