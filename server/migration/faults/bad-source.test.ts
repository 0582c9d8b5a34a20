import { createCipheriv } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { preflight, startRun } from '../runs/client'
import { type Bench, fingerprint, openBench } from '../testing/target'

describe('a source is refused before anything is written', { timeout: 60_000 }, () => {
  needsPostgres()
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench(sharedPostgres())
  })
  afterEach(() => bench?.close())

  const sound = () =>
    bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, printf('%0100d', i) FROM n`)

  /** Red checks, and that a start ends with them and leaves no trace. */
  async function refused(file: string) {
    const before = await fingerprint(bench.client)
    const red = (await preflight(bench.job(file))).filter(({ state }) => state === 'red')
    const end = await startRun(bench.job(file)).ended
    expect(end).toMatchObject({ state: 'failed', failure: { resumable: false } })
    expect(await fingerprint(bench.client)).toEqual(before)
    for (const check of red) expect(check.remedy, check.id).toBeTruthy()
    return red
  }

  it('when it is encrypted', async () => {
    const file = sound()
    const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16, 2))
    writeFileSync(file, cipher.update(readFileSync(file)))
    const [check] = await refused(file)
    expect(check).toMatchObject({
      id: 'source-file',
      detail: expect.stringContaining('or it is encrypted'),
      remedy: expect.stringContaining('decrypt'),
    })
  })

  it.each([
    ['in the middle', (bytes: number) => Math.floor(bytes / 2)],
    ['within a page', (bytes: number) => bytes - 100],
    ['after its first page', () => 4096],
    ['within its header', () => 60],
  ])('when it was cut off %s', async (_, left) => {
    const file = sound()
    truncateSync(file, left(readFileSync(file).length))
    const [check] = await refused(file)
    expect(check?.id).toMatch(/^source-(file|integrity)$/)
    expect(check?.detail).toMatch(/is cut off: [\d,]+ bytes are missing/)
  })

  it('when it holds no table', async () => {
    const [check] = await refused(bench.file('CREATE TABLE t (a); DROP TABLE t'))
    expect(check).toMatchObject({ id: 'source-file', detail: expect.stringMatching(/^0 tables/) })
  })
})
