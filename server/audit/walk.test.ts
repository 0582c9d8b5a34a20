import { describe, expect, it } from 'vitest'
import { type AuditRow, chained, genesis } from './chain'
import { type Checkpoint, signCheckpoint, signerOf } from './checkpoint'
import { type Found, judge } from './judge'
import { edgeInEvent, PRUNED, RESTORED } from './landmarks'
import { append, content, rowKey } from './testing/rows'
import { Walk } from './walk'

const forger = new Uint8Array(32).fill(8)
const macs = new Map([['test', rowKey]])
const signer = signerOf(new Uint8Array(32).fill(9))

const log = append([], 40)
const signed = (row: AuditRow): Checkpoint =>
  signCheckpoint({ epoch: row.epoch, seq: row.seq, hash: row.hash, time: row.time }, signer)
const every = (rows: readonly AuditRow[], step: number) =>
  rows.filter(({ seq }) => seq % step === 0).map(signed)
const headOf = (rows: readonly AuditRow[]) => ({
  seq: rows.at(-1)?.seq ?? 0,
  hash: rows.at(-1)?.hash ?? genesis,
})

interface Beside {
  checkpoints?: Checkpoint[]
  head?: { seq: number; hash: string } | null
  /** As it was exported: without keys and head. */
  exported?: boolean
}

function judged(rows: readonly AuditRow[], beside: Beside = {}) {
  const { checkpoints = every(log, 10), head = headOf(log), exported = false } = beside
  const walk = new Walk({ macs: exported ? undefined : macs, checkpoints })
  for (const row of rows) walk.add(row)
  return judge(walk, { checkpoints, head: exported ? undefined : head })
}

/** What is found, as `kind seq` or `kind seq-to`. */
const found = (rows: readonly AuditRow[], beside: Beside = {}) => judged(rows, beside).found.map(named)

const named = ({ kind, seq, to }: Found) => (seq === to ? `${kind} ${seq}` : `${kind} ${seq}-${to}`)
const change = (seq: number, more: Partial<AuditRow>) =>
  log.map((row) => (row.seq === seq ? { ...row, ...more } : row))
/** In the order in which a database reads it. */
const bySeq = (rows: AuditRow[]) => [...rows].sort((a, b) => a.seq - b.seq)

describe('a log that nobody touched', () => {
  it('is sound, with every checkpoint, and at its very beginning', () => {
    expect(found(log)).toEqual([])
    expect(found([], { checkpoints: [], head: null })).toEqual([])
    expect(found(log.slice(0, 1), { checkpoints: [], head: headOf(log.slice(0, 1)) })).toEqual([])
  })

  it('is sound behind its last checkpoint', () => {
    const longer = append(log, 3)
    expect(found(longer, { head: headOf(longer) })).toEqual([])
  })

  it('is sound in rows of the first releases, which have no severity', () => {
    const old = append(append([], 5, { severity: null }), 5)
    expect(found(old, { checkpoints: every(old, 5), head: headOf(old) })).toEqual([])
  })
})

describe('a superuser', () => {
  it.each(Object.keys(log[0] as AuditRow).filter((name) => name !== 'seq') as (keyof AuditRow)[])(
    'who changes %s',
    (column) => {
      const value = typeof log[0]?.[column] === 'number' ? 5 : 'changed'
      for (const seq of [1, 20, 25, 40])
        expect(found(change(seq, { [column]: value }))).toEqual([`modified ${seq}`])
    },
  )

  it('who adds a source to a row of the first releases, or takes severities away', () => {
    const old = append([], 10, { severity: null })
    const sourced = old.map((row) => (row.seq === 4 ? { ...row, source: 'shop' } : row))
    expect(found(sourced, { checkpoints: every(old, 5), head: headOf(old) })).toEqual(['modified 4'])
    expect(found(change(4, { severity: null }))).toEqual(['modified 4'])
  })

  it('who changes a seq', () => {
    expect(found(bySeq(change(20, { seq: 900 })))).toEqual(['reordered 20'])
    expect(found(bySeq(change(20, { seq: -3 })))).toEqual(['reordered 20'])
    expect(found(bySeq(change(40, { seq: 41 })))).toEqual(['reordered 40'])
  })

  it('who deletes in the middle, with or without closing the gap', () => {
    const without = log.filter(({ seq }) => seq < 12 || seq > 14)
    expect(found(without)).toEqual(['missing 12-14'])
    expect(found(log.slice(1))).toEqual(['missing 1'])
    const closed = without.map((row) => (row.seq > 14 ? { ...row, seq: row.seq - 3 } : row))
    expect(found(closed)).toEqual(['missing 12-14', 'reordered 15-40'])
    const lastButOne = log.filter(({ seq }) => seq !== 39)
    const renamed = lastButOne.map((row) => (row.seq === 40 ? { ...row, seq: 39 } : row))
    expect(found(renamed)).toEqual(['missing 39', 'reordered 40'])
  })

  it('who cuts the end off', () => {
    expect(found(log.slice(0, 25))).toEqual(['truncated 26-40'])
    expect(found([])).toEqual(['truncated 1-40'])
  })

  it('who puts the table back, with its head', () => {
    const before = log.slice(0, 25)
    expect(found(before, { head: headOf(before) })).toEqual(['rolled back 26-40'])
    expect(found([], { head: null })).toEqual(['rolled back 1-40'])
  })

  it('who puts the table back, before the console goes on', () => {
    const short = append(log.slice(0, 25), 3, { actor: 'later' })
    expect(found(short, { head: headOf(short) })).toEqual(['rolled back 29-40'])
    const long = append(log.slice(0, 25), 30, { actor: 'later' })
    const after = every(long, 10).map((each) => ({ ...each, time: each.time + 60_000 }))
    const both = [...every(log, 10), ...after].sort((a, b) => a.seq - b.seq)
    expect(found(long, { head: headOf(long), checkpoints: both })).toEqual(['rolled back 21-40'])
  })

  it('who swaps rows, neighbours or not', () => {
    const swap = (a: number, b: number) =>
      bySeq(log.map((row) => ({ ...row, seq: row.seq === a ? b : row.seq === b ? a : row.seq })))
    expect(found(swap(5, 6))).toEqual(['reordered 5-6'])
    expect(found(swap(5, 30))).toEqual(['reordered 5', 'reordered 30'])
    expect(found(swap(1, 40))).toEqual(['reordered 1', 'reordered 40'])
    expect(found(swap(39, 40))).toEqual(['reordered 39-40'])
  })

  it('who inserts, and makes room for it or not', () => {
    const fake = (seq: number, previousHash: string) => chained(content(seq, previousHash), forger)
    const middle = [
      ...log.slice(0, 10),
      fake(11, log[9]?.hash as string),
      ...log.slice(10).map((row) => ({ ...row, seq: row.seq + 1 })),
    ]
    expect(found(middle)).toEqual(['inserted 11', 'reordered 11-40'])
    const end = [...log, fake(41, log[39]?.hash as string)]
    expect(found(end)).toEqual(['inserted 41'])
    expect(found(end, { head: headOf(end) })).toEqual(['inserted 41'])
    const first = [fake(0, genesis), ...log]
    expect(found(first)).toEqual(['inserted 0'])
    const copied = [...log, { ...(log[4] as AuditRow), seq: 41 }]
    expect(found(copied)).toEqual(['inserted 41'])
  })

  it('who chains anew without the key', () => {
    const forged = (from: number) => {
      const rows = log.slice(0, from - 1)
      for (const row of log.slice(from - 1))
        rows.push(chained({ ...row, actor: 'nobody', previousHash: rows.at(-1)?.hash ?? genesis }, forger))
      return rows
    }
    expect(found(forged(30), { head: headOf(forged(30)) })).toEqual(['modified 30-40'])
    expect(found(forged(1), { head: headOf(forged(1)) })).toEqual(['modified 1-40'])
    const one = chained({ ...(log[19] as AuditRow), actor: 'nobody' }, forger)
    expect(found(change(20, one))).toEqual(['modified 20'])
  })

  it('who changes the head', () => {
    expect(found(log, { head: { seq: 40, hash: 'f'.repeat(64) } })).toEqual(['modified 40'])
    expect(found(log, { head: { seq: 38, hash: log[37]?.hash ?? '' } })).toEqual(['modified 38'])
    expect(found(log, { head: null })).toEqual(['missing 40'])
    for (const head of [null, { seq: 40, hash: genesis }])
      expect(judged(log, { head }).found).toMatchObject([{ note: 'the head row' }])
  })

  it('who changes the head and cuts the end off: what is lost is told, not the head', () => {
    expect(found(log.slice(0, 25), { head: null })).toEqual(['rolled back 26-40'])
  })

  it('who mixes the rows of two histories', () => {
    const other = append(log.slice(0, 25), 10, { actor: 'later' })
    const mixed = [...log.slice(0, 28), ...other.slice(28, 35), ...log.slice(35)]
    expect(found(mixed)).toEqual(['rolled back 21-30', 'forked 29', 'forked 36'])
    const twice = bySeq([...log, other[29] as AuditRow])
    expect(found(twice)).toEqual(['forked 30'])
  })

  it('who does several things at once', () => {
    const rows = change(5, { actor: 'nobody' }).filter(({ seq }) => seq !== 18 && seq < 35)
    expect(found(rows)).toEqual(['modified 5', 'missing 18', 'truncated 35-40'])
  })
})

describe('keys', () => {
  it('that are unknown are named, and nothing else is said of their rows', () => {
    const rotated = append(append([], 10, { keyId: 'old' }), 10)
    expect(found(rotated, { checkpoints: every(rotated, 5), head: headOf(rotated) })).toEqual([
      'unknown key 1-10',
    ])
  })
})

describe('without a key', () => {
  const alone = { exported: true }

  it('a chain is proven by its checkpoints, and one that was chained anew is not', () => {
    expect(found(log, alone)).toEqual([])
    expect(found(change(12, { actor: 'nobody' }), alone)).toEqual(['modified 12'])
    const one = chained({ ...(log[11] as AuditRow), actor: 'nobody' }, forger)
    expect(found(change(12, one), alone)).toEqual(['modified 12'])
    const rows = log.slice(0, 24)
    for (const row of log.slice(24))
      rows.push(chained({ ...row, actor: 'nobody', previousHash: rows.at(-1)?.hash ?? '' }, forger))
    expect(found(rows, alone)).toEqual(['modified 21-40'])
  })
})

describe('landmarks', () => {
  it('explain a prefix that was pruned, and no more of it', () => {
    const edge = log[19] as AuditRow
    const pruned = append(log, 1, { event: PRUNED, after: JSON.stringify(edgeInEvent(edge)) })
    const beside = { checkpoints: every(log, 10), head: headOf(pruned) }
    expect(found(pruned.slice(20), beside)).toEqual([])
    expect(found(pruned.slice(12), beside)).toEqual([])
    expect(judged(pruned.slice(20), beside).prunedTo).toBe(20)
    expect(judged(pruned.slice(12), beside).prunedTo).toBe(12)
    expect(judged(pruned.slice(21), beside).prunedTo).toBe(0)
    expect(judged(pruned, beside).prunedTo).toBe(0)
    // Nothing is explained in the middle, also where a row says that it was pruned.
    expect(found([...pruned.slice(0, 5), ...pruned.slice(20)], beside)).toEqual(['missing 6-20'])
    expect(found(pruned.slice(21), beside)).toEqual(['missing 1-21'])
    const other = append(log, 1, {
      event: PRUNED,
      after: JSON.stringify(edgeInEvent({ ...edge, hash: genesis })),
    })
    expect(found(other.slice(20), { ...beside, head: headOf(other) })).toEqual(['missing 1-20'])
    const forged = pruned.map((row) => (row.event === PRUNED ? chained({ ...row }, forger) : row))
    expect(found(forged.slice(20), { ...beside, head: headOf(forged) })).toContain('missing 1-20')
  })

  it('explain a restore that was declared, and none that was not', () => {
    const back = log.slice(0, 25)
    const declared = append(append(back, 1, { epoch: 2, event: RESTORED }), 20, { epoch: 2 })
    const checkpoints = [...every(log, 10), ...every(declared.slice(25), 10)].sort((a, b) => a.seq - b.seq)
    expect(found(declared, { checkpoints, head: headOf(declared) })).toEqual([])
    // The checkpoints of #30 and #40 are of what is lost.
    expect(judged(declared, { checkpoints, head: headOf(declared) }).explained).toBe(2)
    const edge = { after: JSON.stringify(edgeInEvent(log[18] as AuditRow)) }
    const earlier = append(append(back, 1, { epoch: 2, event: RESTORED, ...edge }), 20, { epoch: 2 })
    const signedOf = [...every(log, 10), ...every(earlier.slice(25), 10)].sort((a, b) => a.seq - b.seq)
    expect(judged(earlier, { checkpoints: signedOf, head: headOf(earlier) }).explained).toBe(3)
    const silent = append(back, 21, { epoch: 2 })
    expect(found(silent, { checkpoints: every(log, 10), head: headOf(silent) })).not.toEqual([])
  })
})

describe('a walk', () => {
  const walked = (
    rows: readonly AuditRow[],
    checkpoints: Checkpoint[],
    after?: { seq: number; hash: string },
  ) => {
    const walk = new Walk({ macs, checkpoints, after })
    for (const row of rows) walk.add(row)
    return walk
  }

  it('counts what the checkpoints prove, and since when the rest is unproven', () => {
    const walk = walked(log, every(log, 10).slice(0, 3))
    expect(walk).toMatchObject({ rows: 40, highestSeq: 40, provenRows: 30, looseRows: 0, overflow: false })
    expect(walk.unproven).toEqual({ rows: 10, oldestAt: log[30]?.time })
    expect(walk.agreed.map(({ seq }) => seq)).toEqual([10, 20, 30])
    expect(walked(log, []).unproven).toEqual({ rows: 40, oldestAt: log[0]?.time })
    expect(walked([], []).unproven).toEqual({ rows: 0, oldestAt: null })
  })

  it('counts rows before a gap that no checkpoint proves as loose', () => {
    const walk = walked(
      log.filter(({ seq }) => seq !== 35),
      every(log, 10).slice(0, 3),
    )
    expect(walk).toMatchObject({ rows: 39, provenRows: 30, looseRows: 4 })
    expect(walk.unproven).toEqual({ rows: 5, oldestAt: log[35]?.time })
    expect(walk.gaps).toMatchObject([{ seq: 35, to: 35 }])
  })

  it('may begin behind an event that is known', () => {
    const edge = log[19] as AuditRow
    const walk = walked(log.slice(20), every(log, 10).slice(2), edge)
    expect(judge(walk, { checkpoints: every(log, 10).slice(2), head: headOf(log) }).found).toEqual([])
    expect(walk.provenRows).toBe(20)
    const wrong = walked(log.slice(20), every(log, 10).slice(2), { seq: 20, hash: genesis })
    expect(wrong.modified.concat(wrong.forked)).not.toEqual([])
  })

  it('remembers the first twenty events that tell of tampering', () => {
    const told = append(append([], 2), 25, { event: 'malicious_audit_tampering' })
    const walk = walked(told, [])
    expect(walk.reported).toEqual(Array.from({ length: 20 }, (_, at) => at + 3))
    expect(walked(log, []).reported).toEqual([])
  })

  it('tells up to ten thousand ranges apart, and says when there were more', () => {
    const many = append([], 3)
    const [row] = many as [AuditRow]
    const walk = new Walk({ macs, checkpoints: [] })
    const misfit = (seq: number) => walk.add({ ...row, seq, actor: 'nobody' })
    for (let at = 1; at <= 10_000; at++) misfit(2 * at)
    expect(walk.misfits).toHaveLength(10_000)
    expect(walk.overflow).toBe(false)
    misfit(20_001)
    expect(walk.misfits.at(-1)).toEqual({ seq: 20_000, to: 20_001 })
    expect(walk.overflow).toBe(false)
    misfit(20_003)
    expect(walk.misfits).toHaveLength(10_000)
    expect(walk.overflow).toBe(true)
    expect(walk.suspects).toHaveLength(200)
  })
})
