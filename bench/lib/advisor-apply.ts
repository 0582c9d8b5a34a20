import type { Client } from 'pg'
import type { IndexAdvice } from '@/server/database'
import { STATEMENTS } from './advisor-statements'
import { planShape, timeStatement } from './advisor-timing'
import { timeBulk, timeWrites } from './advisor-writes'

/** Applied advice that slows something by more than this share does harm. */
const HARM = 1.1
/** Times that a seeming harm is measured again on both sides before it counts. */
const AGAIN = 8

export type Before = ReadonlyMap<string, { time: number; plan: string }>

/** Times every statement as it is. */
export async function timeAll(client: Client): Promise<Map<string, { time: number; plan: string }>> {
  const before = new Map<string, { time: number; plan: string }>()
  for (const statement of STATEMENTS) {
    before.set(statement.name, {
      plan: await planShape(client, statement),
      time: await timeStatement(client, statement),
    })
  }
  return before
}

/**
 * Applies one piece of advice as the reader would, measures everything, undoes it; resolves to what it harmed.
 * `written` keeps what writes to each table took before.
 */
export async function applyAndMeasure(
  client: Client,
  advice: IndexAdvice,
  before: Before,
  written: Map<string, { rows: number[]; bulk: number }>,
): Promise<string[]> {
  const harmed: string[] = []
  const { table } = advice.index
  const was = written.get(table) ?? {
    rows: await timeWrites(client, table),
    bulk: await timeBulk(client, table),
  }
  written.set(table, was)
  await client.query(advice.ddl)
  const gains: string[] = []
  for (const statement of STATEMENTS) {
    const alone = before.get(statement.name)
    if (!alone || (await planShape(client, statement)) === alone.plan) continue
    const ratio = alone.time / (await timeStatement(client, statement))
    gains.push(`${statement.name} ${ratio.toFixed(1)}×`)
    if (ratio < 1 / HARM && (await stillSlower(client, advice, () => timeStatement(client, statement)))) {
      harmed.push(`${statement.name}: ${ratio.toFixed(2)}× with ${advice.ddl}`)
    }
  }
  const after = { rows: await timeWrites(client, table), bulk: await timeBulk(client, table) }
  for (const [kind, time] of after.rows.entries()) {
    const ratio = time / (was.rows[kind] as number)
    const again = async () => (await timeWrites(client, table))[kind] as number
    if (ratio > HARM && (await stillSlower(client, advice, again))) {
      harmed.push(`write ${kind} to ${table}: ${ratio.toFixed(2)} of the time with ${advice.ddl}`)
    }
  }
  await client.query(advice.undo)
  const rows = was.rows.map((time, kind) => `${time.toFixed(2)} → ${after.rows[kind]?.toFixed(2)}`).join(', ')
  console.log(
    `${advice.ddl}\n    ${gains.join(', ')}\n    a row written and committed ${rows} ms; in bulk ${(was.bulk * 1000).toFixed(1)} → ${(after.bulk * 1000).toFixed(1)} µs a row`,
  )
  return harmed
}

/** Whether the best of many turns with the index stays slower than the best without. The index is there before and after. */
async function stillSlower(
  client: Client,
  advice: IndexAdvice,
  time: () => Promise<number>,
): Promise<boolean> {
  let [with_, without] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let turn = 0; turn < AGAIN; turn++) {
    with_ = Math.min(with_, await time())
    await client.query(advice.undo)
    without = Math.min(without, await time())
    await client.query(advice.ddl)
    if (with_ / without <= HARM) return false
  }
  return true
}

/** All advice at once: what any statement loses then, beside what was there before. */
export async function applyAll(client: Client, advice: IndexAdvice[], before: Before): Promise<string[]> {
  const harmed: string[] = []
  for (const { ddl } of advice) await client.query(ddl)
  let [sumBefore, sumAfter] = [0, 0]
  const slower: typeof STATEMENTS = []
  for (const statement of STATEMENTS) {
    const was = before.get(statement.name)
    if (!was) continue
    const after =
      (await planShape(client, statement)) === was.plan ? was.time : await timeStatement(client, statement)
    sumBefore += was.time
    sumAfter += after
    if (after / was.time > HARM) slower.push(statement)
  }
  const times = new Map<string, number>()
  for (const statement of slower) times.set(statement.name, await timeStatement(client, statement))
  for (const { undo } of advice) await client.query(undo)
  for (const statement of slower) {
    const ratio = (times.get(statement.name) ?? 0) / (await timeStatement(client, statement))
    if (ratio > HARM) harmed.push(`${statement.name}: ${ratio.toFixed(2)} of the time with all advice`)
  }
  console.log(
    `all ${advice.length} at once: the set takes ${sumAfter.toFixed(0)} ms instead of ${sumBefore.toFixed(0)} ms`,
  )
  return harmed
}
