import { describe, expect, test } from 'vitest'
import type { ServerSession } from '@/components/database/types'
import { chosen, type SessionFilter } from './choose'

const base: ServerSession = {
  pid: 1,
  startedAt: 1,
  user: 'app',
  application: 'shop',
  database: 'shop',
  client: '10.0.0.1',
  state: 'idle',
  waitsFor: null,
  statement: null,
  transactionStartedAt: null,
  statementStartedAt: null,
  blockedBy: [],
  ours: false,
}
const sessions: ServerSession[] = [
  { ...base, pid: 101, state: 'active', statement: 'UPDATE orders SET state = $1', blockedBy: [102] },
  { ...base, pid: 102, state: 'idle in transaction' },
  { ...base, pid: 103, state: 'idle in transaction (aborted)', application: 'psql' },
  { ...base, pid: 104, user: null },
]
const pids = (filter: Partial<SessionFilter>) =>
  chosen(sessions, { text: '', state: null, blocked: false, ...filter }).map(({ pid }) => pid)

describe('the filter of sessions', () => {
  test('keeps all without a word', () => {
    expect(pids({})).toEqual([101, 102, 103, 104])
  })
  test('takes both idle states of a transaction for one', () => {
    expect(pids({ state: 'transaction' })).toEqual([102, 103])
    expect(pids({ state: 'idle' })).toEqual([104])
  })
  test('keeps those who wait and those they wait for', () => {
    expect(pids({ blocked: true })).toEqual([101, 102])
  })
  test('finds text in any column, and the pid', () => {
    expect(pids({ text: ' update ORDERS ' })).toEqual([101])
    expect(pids({ text: 'PSQL' })).toEqual([103])
    expect(pids({ text: '104' })).toEqual([104])
    expect(pids({ text: 'nothing like it' })).toEqual([])
  })
})
