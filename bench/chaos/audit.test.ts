import { describe, expect, it } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'
import { runChaos } from '../lib/chaos/run-chaos'

describe('a few rounds of chaos over the audit log', { timeout: 300_000 }, () => {
  needsPostgres()

  it('miss no tampering, and see none where there is none', async () => {
    const { code, last, output } = await runChaos('audit', '--rounds', '6', '--seed', '11', '--writes', '60')
    expect(last, output).toBe('CHAOS audit rounds=6 missed=0 false=0')
    expect(code).toBe(0)
  })
})
