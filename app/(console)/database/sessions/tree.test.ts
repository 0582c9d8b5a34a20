import { describe, expect, test } from 'vitest'
import type { ServerSession } from '@/components/database/types'
import { blockedByTree } from './tree'

function session(pid: number, blockedBy: number[] = [], more: Partial<ServerSession> = {}): ServerSession {
  return {
    pid,
    startedAt: 1_000,
    user: 'app',
    application: 'shop',
    database: 'shop',
    client: '10.0.0.1',
    state: 'active',
    waitsFor: blockedBy.length > 0 ? 'Lock: transactionid' : null,
    statement: 'select 1',
    transactionStartedAt: 2_000 + pid,
    statementStartedAt: 2_000 + pid,
    blockedBy,
    ours: false,
    ...more,
  }
}

const shape = (sessions: ServerSession[]) =>
  blockedByTree(sessions).map(
    ({ session: { pid }, depth, holdsUp }) => `${'  '.repeat(depth)}${pid}:${holdsUp}`,
  )

describe('the blocked-by tree', () => {
  test('sets those who wait under whom they wait for, the one that holds up most first', () => {
    expect(
      shape([session(1), session(2, [3]), session(3), session(4, [2]), session(5, [6]), session(6)]),
    ).toEqual(['3:2', '  2:1', '    4:0', '6:1', '  5:0', '1:0'])
  })
  test('shows one who waits for several once, under the first', () => {
    const rows = shape([session(3, [1, 2, 1]), session(2), session(1)])
    expect(rows).toEqual(['1:1', '  3:0', '2:1'])
  })
  test('begins with a session whose blocker is not shown', () => {
    expect(shape([session(5, [99]), session(4)])).toEqual(['4:0', '5:0'])
  })
  test('ends on rings, and has every session of them and behind them once', () => {
    const rows = blockedByTree([
      session(1, [2]),
      session(2, [3]),
      session(3, [1]),
      session(4, [1]),
      session(5),
    ])
    expect(rows.map(({ session: { pid } }) => pid).toSorted()).toEqual([1, 2, 3, 4, 5])
    expect(
      rows
        .filter(({ inCycle }) => inCycle)
        .map(({ session: { pid } }) => pid)
        .toSorted(),
    ).toEqual([1, 2, 3])
    expect(rows[0]?.session.pid).toBe(5)
    expect(rows[1]).toMatchObject({ session: { pid: 1 }, depth: 0, holdsUp: 3 })
  })
  test('does not take a session that names itself for a ring', () => {
    expect(blockedByTree([session(1, [1])])).toMatchObject([{ depth: 0, holdsUp: 0, inCycle: false }])
  })
  test('puts work before idleness, and the oldest transaction first', () => {
    expect(
      shape([
        session(1, [], { state: 'idle', transactionStartedAt: null }),
        session(2, [], { transactionStartedAt: 900 }),
        session(3, [], { transactionStartedAt: 100 }),
        session(4, [], { state: 'idle in transaction', transactionStartedAt: 1 }),
      ]),
    ).toEqual(['3:0', '2:0', '4:0', '1:0'])
  })
  test('takes a chain of a thousand', () => {
    const rows = blockedByTree(
      Array.from({ length: 1_000 }, (_, at) => session(at + 1, at === 0 ? [] : [at])),
    )
    expect(rows).toHaveLength(1_000)
    expect(rows[0]).toMatchObject({ holdsUp: 999, depth: 0 })
    expect(rows.at(-1)).toMatchObject({ depth: 999 })
  })
})
