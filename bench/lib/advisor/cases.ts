import type { Client } from 'pg'
import type { IndexAdvice } from '@/server/database'
import { median } from '../measure'
import { type Compared, compare, FEW_PAIRS } from './compare'

/** Something that is timed on both sides, or several that can only be timed together. */
export interface Case {
  names: string[]
  /** Called once a connection, before anything is timed. */
  ready: (client: Client) => Promise<void>
  time: (client: Client) => Promise<number[]>
}

/** Samples of which each time that is measured again is the median. */
const SAMPLES = 7

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
 * Measures suspects again on one database, without the advice and with it in turn, six times at least: what lies
 * otherwise there than in the original, and what went on beside the first time, is then no part of it. The advice is
 * applied before and after.
 */
export async function measureAgain(
  open: Open,
  advice: readonly IndexAdvice[],
  cases: readonly Case[],
  limit: number,
): Promise<Compared[][]> {
  if (cases.length === 0) return []
  let made = true
  const on = (wanted: boolean) => async () => {
    if (made !== wanted) await (wanted ? make : drop)(open, advice)
    made = wanted
    return sampled(open, cases)
  }
  const flat = await compare(on(false), on(true), limit, FEW_PAIRS)
  if (!made) await make(open, advice)
  let from = 0
  return cases.map(({ names }) => {
    from += names.length
    return flat.slice(from - names.length, from)
  })
}

/** Measures one case on two databases, on new connections each time: one that is slow for its place is no verdict. */
export async function compareAfresh(
  plain: Open,
  advised: Open,
  of: Case,
  limit: number,
): Promise<Compared[]> {
  const on = (open: Open) => () => sampled(open, [of])
  return compare(on(plain), on(advised), limit, FEW_PAIRS)
}

/** Medians of a few samples of each case, on a connection of their own. */
async function sampled(open: Open, cases: readonly Case[]): Promise<number[]> {
  const client = await open()
  try {
    const figures: number[] = []
    for (const { ready, time } of cases) {
      await ready(client)
      await time(client)
      const samples: number[][] = []
      while (samples.length < SAMPLES) samples.push(await time(client))
      figures.push(...(samples[0] ?? []).map((_, at) => median(samples.map((each) => each[at] as number))))
    }
    return figures
  } finally {
    await client.end()
  }
}
