import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'

describe('ten rounds of chaos over migrations', { timeout: 600_000 }, () => {
  needsPostgres()

  it('lose no row, double none and end, whatever is killed', async () => {
    const child = spawn(process.execPath, ['dist/chaos/migrate.mjs', '--rounds', '10', '--seed', '7'])
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(output.trim().split('\n').at(-1), output).toBe('CHAOS migrate rounds=10 lost=0 doubled=0 stuck=0')
    expect(code).toBe(0)
  })
})
