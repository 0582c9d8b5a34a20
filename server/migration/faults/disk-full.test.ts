import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startPostgres } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { throughTrouble } from '../testing/persist'
import { bothSides, openBench } from '../testing/target'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Mounts a disk of so many megabytes for the user who owns `like`; null where mounting isn't allowed. */
function smallDisk(megabytes: number, like: string): { path: string; grow(megabytes: number): void } | null {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-disk-'))
  undo.push(() => rmSync(path, { recursive: true, force: true }))
  const mount = (options: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
  try {
    mount(`size=${megabytes}m`)
  } catch {
    return null
  }
  undo.push(() => execFileSync('umount', ['-l', path]))
  const { uid, gid } = statSync(like)
  chownSync(path, uid, gid)
  return { path, grow: (size) => void mount(`remount,size=${size}m`) }
}

describe('a full disk', { timeout: 240_000 }, () => {
  needsPostgres()

  it('pauses the run with tablespace and size, and the run goes on by itself when there is room', async (context) => {
    const server = await startPostgres()
    undo.push(() => server.stop())
    const disk = smallDisk(12, join(server.folder, 'data'))
    context.skip(disk === null, 'mounting a small disk needs root')
    if (!disk) return
    const bench = await openBench(server)
    await server.query(`CREATE TABLESPACE small LOCATION '${disk.path}'`)
    await server.query(`ALTER DATABASE "${bench.target.database}" SET default_tablespace = small`)
    undo.push(() => bench.close())
    const job = bench.job(
      bench.file(`CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        INSERT INTO big SELECT i, printf('%0500d', i) FROM n`),
    )
    const { waits, report } = await throughTrouble(job, {
      at: () => false,
      make: () => {},
      mend: () => disk.grow(400),
    })
    expect(waits[0]).toMatchObject({
      code: 'TARGET_FULL',
      message: expect.stringContaining(`tablespace small, at ${disk.path}`),
      remedy: expect.stringMatching(/^Free about \d+ MB there/),
      heals: true,
    })
    expect(report.validation.ok).toBe(true)
    const { source, target } = await bothSides(job.source, bench.client, 'big')
    expect(target).toEqual(source)
  })
})
