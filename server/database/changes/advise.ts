import { getTableConfig } from 'drizzle-orm/pg-core'
import { tables } from '@/db/schema/pg'
import { isHoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { adviseIndexes, findIndexProblems, type PrivateConnection, type WorkStatement } from '../advisor'
import { MARK } from '../inspect/mark'
import type { StatementFigures } from '../inspect/types'
import { adviseOnFile } from './advise-sqlite'
import { type Found, NoAdvice, TOO_LONG } from './found'
import { type Plan, planOfAdvice, planOfProblem } from './plan'
import type { PostgresSource, Source } from './source'
import type { OfferedAdvice } from './types'

/** Statements that are looked at, the most time first: each takes up to some hundred milliseconds of planning. */
const LOOKED = 50
/** The page does without advice after this long. */
const DEADLINE_MS = 30_000

/** Advice as it is offered, and what each key of it stands for. */
export interface Advice {
  offered: OfferedAdvice
  plans: Map<string, Plan>
}

interface Deps {
  database: Source
  log: Log
  now: number
  /** Rows written to a table in as long as the statements were counted; empty where unknown. */
  writes: (since: number | null) => Promise<ReadonlyMap<string, number>>
}

/** Looks through statements and catalog. Never throws: `missing` says why there is nothing. */
export async function adviseNow(deps: Deps): Promise<Advice> {
  const { database, log, now } = deps
  const empty: OfferedAdvice = {
    ...{ at: now, looked: 0, advice: [], none: [], problems: [], missing: null },
    method: database.dialect === 'sqlite' ? 'schema-copy' : 'statistics',
  }
  try {
    const { statements, since } = await database.inspect.statements()
    const looked = statements.filter(({ text }) => ASKING.test(text)).slice(0, LOOKED)
    const work = looked.map(({ text, calls, totalMs }) => ({ text, calls, totalMilliseconds: totalMs }))
    const writes = await deps.writes(since)
    const found = await (database.dialect === 'sqlite'
      ? adviseOnFile(database.file, work, DEADLINE_MS)
      : adviseOnServer(database, work, writes))
    return offer(empty, looked, found)
  } catch (error) {
    log.warn({ error }, 'no index advice')
    return { offered: { ...empty, missing: reasonOf(error) }, plans: new Map() }
  }
}

/** Statements that an index could serve: not BEGIN, SET, DDL. */
const ASKING = /^\s*(\(|select|with|update|delete|insert|merge|values)\b/i

async function adviseOnServer(
  { client }: PostgresSource,
  work: WorkStatement[],
  writes: ReadonlyMap<string, number>,
): Promise<Found> {
  if (!client.mode().sessions) throw new NoAdvice(BEHIND_POOLER)
  const connection = await client.direct()
  const asking = async (): Promise<Found> => {
    const own: PrivateConnection = {
      query: ({ text, ...rest }) => connection.query({ ...rest, text: `${MARK} ${text}` } as never) as never,
    }
    const advised = await adviseIndexes(own, work, { writes })
    return { advised, problems: await findIndexProblems(own) }
  }
  try {
    const found = asking()
    // After the deadline releasing the connection makes it fail.
    if (!(await endsWithin(DEADLINE_MS, found))) throw new NoAdvice(TOO_LONG)
    return await found
  } finally {
    connection.release(true)
  }
}

/** Indexes that this release defines on the store: an upgrade may count on them, so nobody is told to drop them. */
const DEFINED = new Set(
  Object.values(tables).flatMap((table) =>
    getTableConfig(table).indexes.map(({ config }) => config.name ?? ''),
  ),
)

function offer(empty: OfferedAdvice, looked: StatementFigures[], { advised, problems }: Found): Advice {
  const prints = new Map(looked.map(({ text, fingerprint }) => [text, fingerprint]))
  const plans = new Map<string, Plan>()
  const keep = (plan: Plan | undefined) => {
    if (plan) plans.set(plan.key, plan)
    return plan?.key ?? null
  }
  const named = ({ text }: WorkStatement) => ({ fingerprint: prints.get(text) ?? '', text })
  const advice = advised.advice.map(({ verdicts, ...rest }) => {
    const names = verdicts.map(({ statement }) => named(statement).fingerprint)
    const plan = planOfAdvice({ ...rest, verdicts }, names)
    keep(plan)
    return {
      ...rest,
      key: plan.key,
      verdicts: verdicts.map(({ statement, ...verdict }) => ({ ...verdict, ...named(statement) })),
    }
  })
  return {
    plans,
    offered: {
      ...empty,
      method: advised.method,
      looked: looked.length,
      advice,
      none: advised.verdicts.flatMap(({ statement, index, because }) =>
        index === null ? [{ ...named(statement), because }] : [],
      ),
      problems: problems
        .filter(({ index }) => index === null || !DEFINED.has(index))
        .map((problem) => ({ ...problem, key: keep(planOfProblem(problem)) })),
    },
  }
}

const BEHIND_POOLER =
  'Advice needs a session of its own, and a pooler stands between: set DB_DIRECT_HOST to the server itself.'

function reasonOf(error: unknown): string {
  if (error instanceof NoAdvice) return error.message
  if (isHoldfastError(error)) return [error.message, error.remedy].filter(Boolean).join(' ')
  const code = (error as { code?: unknown } | null)?.code
  if (code === '42501') return 'The role may not read what advice is made of. Grant it pg_monitor.'
  return `The database did not answer as expected${typeof code === 'string' ? ` (${code})` : ''}. Try again.`
}
