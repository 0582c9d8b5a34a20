import type { Client } from 'pg'
import { type Labelled, STATEMENTS } from './advisor-statements'
import { planShape, timeStatement, withIndex } from './advisor-timing'

/** A right index makes its statement at least this much faster; beside a 'none' no candidate reaches the other. */
const RIGHT = 2
const NONE = 1.3
/** Times that a 'none' which seems refuted is timed again, with and without in turn: noise goes, a gain stays. */
const AGAIN = 10

/** Proves the labels by timing, all or those of these names; resolves to how many failed, after printing each. */
export async function proveLabels(client: Client, only: string[] = []): Promise<number> {
  const chosen = STATEMENTS.filter(({ name }) => only.length === 0 || only.includes(name))
  const before = new Map<string, { time: number; plan: string }>()
  for (const statement of chosen) {
    before.set(statement.name, {
      plan: await planShape(client, statement),
      time: await timeStatement(client, statement),
    })
  }
  let failed = 0
  const best = new Map<string, { ratio: number; index: string }>()
  for (const [index, statements] of byIndex(chosen)) {
    for (const [statement, after] of await timesWith(client, index, statements, before)) {
      const was = before.get(statement.name)?.time ?? 0
      if (statement.right.length > 0) {
        const wrong = was / after < RIGHT
        if (wrong) failed++
        print(wrong ? 'WRONG' : 'right', was / after, was, `${statement.name}: ${index}`)
        continue
      }
      let ratio = was / after
      if (ratio >= NONE) ratio = await measuredAgain(client, index, statement)
      if (ratio > (best.get(statement.name)?.ratio ?? 0)) best.set(statement.name, { ratio, index })
    }
  }
  for (const { name, right } of chosen) {
    if (right.length > 0) continue
    const found = best.get(name)
    const wrong = !found || found.ratio >= NONE
    if (wrong) failed++
    print(
      wrong ? 'WRONG' : 'none',
      found?.ratio ?? 0,
      before.get(name)?.time ?? 0,
      `${name}: at most by ${found?.index}`,
    )
  }
  return failed
}

function print(word: string, ratio: number, milliseconds: number, what: string): void {
  console.log(
    `${word.padEnd(5)} ${ratio.toFixed(2).padStart(8)}× of ${milliseconds.toFixed(2).padStart(8)} ms  ${what}`,
  )
}

/** What each statement takes with the index. A plan that is the same takes the same time, and isn't timed again. */
function timesWith(
  client: Client,
  index: string,
  statements: Labelled[],
  before: ReadonlyMap<string, { time: number; plan: string }>,
): Promise<[Labelled, number][]> {
  return withIndex(client, index, async () => {
    const times: [Labelled, number][] = []
    for (const statement of statements) {
      const was = before.get(statement.name)
      const same = (await planShape(client, statement)) === was?.plan
      times.push([statement, same ? was.time : await timeStatement(client, statement)])
    }
    return times
  })
}

/** The best time without the index over the best with it, taken in turn. */
async function measuredAgain(client: Client, index: string, statement: Labelled): Promise<number> {
  let [without, with_] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < AGAIN; round++) {
    without = Math.min(without, await timeStatement(client, statement))
    await withIndex(client, index, async () => {
      with_ = Math.min(with_, await timeStatement(client, statement))
    })
    if (without / with_ < NONE) break
  }
  return without / with_
}

/** Every index to try, each once, with the statements whose label it is, or whose 'none' it may refute. */
function byIndex(statements: Labelled[]): Map<string, Labelled[]> {
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
