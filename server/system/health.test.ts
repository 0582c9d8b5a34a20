import { describe, expect, it } from 'vitest'
import type { Sample } from './events'
import { type HealthInput, judge } from './health'
import { type MetricName, metricNames } from './metrics'

function sample(values: Partial<Record<MetricName, number>> = {}): Sample {
  const empty = Object.fromEntries(metricNames.map((name) => [name, null])) as Sample['values']
  return { at: 0, values: { ...empty, ...values } }
}

const well: HealthInput = {
  now: 5,
  database: { reachable: true, place: 'store.db', roundTrip: 0.4, dialect: 'sqlite', max: null },
  cache: { mode: 'memory', state: 'memory', reason: null, since: 0, place: null },
  url: 'http://localhost:3000',
  auditTrouble: null,
  recent: [sample()],
}

const stateOf = (input: Partial<HealthInput>, id: string) =>
  judge({ ...well, ...input }).components.find((component) => component.id === id)?.state

describe('health', () => {
  it('is well with SQLite and a cache in memory', () => {
    expect(judge(well)).toMatchObject({ state: 'ok', at: 5 })
  })

  it('is bad while the database is away, whatever else is well', () => {
    const database = { ...well.database, reachable: false }
    expect(judge({ ...well, database }).state).toBe('bad')
    expect(stateOf({ database }, 'database')).toBe('bad')
  })

  it('warns of callers that wait for a connection in three samples in a row, not in one', () => {
    const waiting = sample({ holdfast_database_pool_waiting_callers: 2 })
    expect(stateOf({ recent: [sample(), sample(), waiting] }, 'database')).toBe('ok')
    expect(stateOf({ recent: [waiting, waiting, waiting] }, 'database')).toBe('warn')
  })

  it('warns of slow statements, of a late event loop and of a full heap', () => {
    const slow = Array(10).fill(sample({ holdfast_database_query_p99_seconds: 0.5 }))
    expect(stateOf({ recent: slow }, 'database')).toBe('warn')
    const late = Array(10).fill(sample({ holdfast_event_loop_delay_p99_seconds: 0.2 }))
    expect(stateOf({ recent: late }, 'process')).toBe('warn')
    const full = [sample({ holdfast_process_heap_used_bytes: 90, holdfast_process_heap_limit_bytes: 100 })]
    expect(stateOf({ recent: full }, 'process')).toBe('bad')
  })

  it('warns of a Redis that is away, as a whole or in part, with the reason', () => {
    const away = { mode: 'cluster', reason: 'Nothing listens there.', since: 3, place: 'r:6379' } as const
    const judged = (state: 'degraded' | 'memory' | 'probing' | 'redis') =>
      judge({ ...well, cache: { ...away, state } }).components.find(({ id }) => id === 'cache')
    for (const state of ['memory', 'probing'] as const) {
      expect(judged(state)).toMatchObject({
        state: 'warn',
        detail: 'Redis at r:6379 is away, memory answers. Nothing listens there.',
        since: 3,
      })
    }
    expect(judged('degraded')).toMatchObject({
      state: 'warn',
      detail: 'Redis at r:6379 is away in part, memory answers for that. Nothing listens there.',
    })
    expect(judged('redis')).toMatchObject({ state: 'ok', detail: 'Redis at r:6379 answers.' })
  })

  it('is bad while the audit log is behind its checkpoints', () => {
    expect(stateOf({ auditTrouble: 'The audit log is behind its checkpoints.' }, 'security')).toBe('bad')
  })

  it('warns of plain http away from this machine alone', () => {
    for (const url of ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://a.example']) {
      expect(stateOf({ url }, 'security')).toBe('ok')
    }
    expect(stateOf({ url: 'http://holdfast.example.org' }, 'security')).toBe('warn')
    expect(stateOf({ findings: [{ summary: '10 failed sign-ins.' }] }, 'security')).toBe('warn')
    expect(stateOf({ findings: [] }, 'security')).toBe('ok')
  })
})
