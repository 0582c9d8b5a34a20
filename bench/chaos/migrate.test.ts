import { describe, expect, it } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'
import { runChaos } from '../lib/chaos/run-chaos'

describe('ten rounds of chaos over migrations', { timeout: 600_000 }, () => {
  needsPostgres()

  it('lose no row, double none and end, whatever is killed', async () => {
    const { code, last, output } = await runChaos('migrate', '--rounds', '10', '--seed', '7')
    expect(last, output).toBe('CHAOS migrate rounds=10 lost=0 doubled=0 stuck=0')
    expect(code).toBe(0)
  })
})
