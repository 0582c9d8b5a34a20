import type { Client } from 'pg'
import type { IndexAdvice } from '@/server/database'
import { median } from '../measure'
import { type Compared, comparedBy } from './compare'

/** Something that is timed on both sides, or several that can only be timed together. */
export interface Case {
  names: string[]
  /** Called once a connection, before anything is timed. */
  ready: (client: Client) => Promise<void>
  time: (client: Client) => Promise<number[]>
}

/** How often the index is made and dropped to measure again, and samples on each side of each time. */
const AGAIN = { rounds: 5, samples: 7 }

export const timeOf = (of: Case, client: Client) => () => of.time(client)

type Open = () => Promise<Client>

export const make = (open: Open, advice: readonly IndexAdvice[]): Promise<void> =>
  runAll(
    open,
    advice.map(({ ddl }) => ddl),
  )

export const drop = (open: Open, advice: readonly IndexAdvice[]): Promise<void> =>
  runAll(
    open,
    advice.map(({ undo }) => undo),
  )

async function runAll(open: Open, texts: string[]): Promise<void> {
  const client = await open()
  try {
    for (const text of texts) await client.query(text)
  } finally {
    await client.end()
  }
}

/**
 * Measures suspects again on one database, without the advice and with it in turn: what lies otherwise there than in
 * the original, and what went on beside the first time, is then no part of it. The advice is applied before and after.
 */
export async function measureAgain(
  open: Open,
  advice: readonly IndexAdvice[],
  cases: readonly Case[],
): Promise<Compared[][]> {
  const pairs: { was: number[]; is: number[] }[][] = cases.map(() => [])
  for (let round = 0; cases.length > 0 && round < AGAIN.rounds; round++) {
    await drop(open, advice)
    const was = await sampled(open, cases)
    await make(open, advice)
    const is = await sampled(open, cases)
    for (const [at, list] of pairs.entries()) list.push({ was: was[at] ?? [], is: is[at] ?? [] })
  }
  return pairs.map(comparedBy)
}

/** Medians of a few samples of each case, on a connection of their own. */
async function sampled(open: Open, cases: readonly Case[]): Promise<number[][]> {
  const client = await open()
  try {
    const figures: number[][] = []
    for (const { ready, time } of cases) {
      await ready(client)
      await time(client)
      const samples: number[][] = []
      while (samples.length < AGAIN.samples) samples.push(await time(client))
      figures.push((samples[0] ?? []).map((_, at) => median(samples.map((each) => each[at] as number))))
    }
    return figures
  } finally {
    await client.end()
  }
}
