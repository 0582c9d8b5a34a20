import { beforeEach, describe, expect, it } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'
import { hasPatroni } from '../lib/chaos/patroni'
import { runChaos } from '../lib/chaos/run-chaos'

describe('failovers by Patroni', { timeout: 600_000 }, () => {
  beforeEach((context) => {
    context.skip(!process.env.HOLDFAST_ALL, 'it takes minutes: HOLDFAST_ALL=1')
    context.skip(!hasPatroni(), 'Patroni is missing: apt-get install patroni etcd-server python3-etcd')
  })
  needsPostgres()

  it('lose no acknowledged write, and show each session what it wrote', async () => {
    const { code, last, output } = await runChaos('database', '--patroni', '--rounds', '3')
    expect(last, output).toMatch(/^CHAOS database rounds=3 lost=0 wrong_reads=0 read_errors=0\S* /)
    expect(code).toBe(0)
  })
})
