import { describe, expect, it } from 'vitest'
import { type HealthParts, judgeParts } from './health-parts'

const GB = 2 ** 30

const well: HealthParts = {
  servers: [],
  clockAhead: null,
  disk: { folder: '/data', free: 20 * GB, total: 100 * GB },
  audit: { problem: null, sound: null },
  channels: [],
  unreachable: [],
  run: null,
  consoles: ['1.0.0'],
}

const judged = (parts: Partial<HealthParts>, id: string) =>
  judgeParts({ ...well, ...parts }).find((component) => component.id === id)

const primary = { place: 'a:5432', role: 'primary', because: null, roundTrip: 1 }

describe('the health of further components', () => {
  it('is well where nothing is set up but the store', () => {
    const all = judgeParts(well)
    expect(all.map(({ id }) => id)).toEqual(['disk', 'audit', 'alerts', 'outbound', 'migration', 'consoles'])
    expect(all.every(({ state, remedy }) => state === 'ok' && remedy === undefined)).toBe(true)
  })

  it('names a replica that takes no reads, with the reason', () => {
    const replica = { place: 'b:5432', role: 'replica', because: null, roundTrip: 3 }
    expect(judged({ servers: [primary] }, 'servers')).toBeUndefined()
    expect(judged({ servers: [primary, replica] }, 'servers')).toMatchObject({ state: 'ok', latency: 3 })
    const late = { ...replica, because: 'It is 40 MB behind.' }
    expect(judged({ servers: [primary, late] }, 'servers')).toMatchObject({
      state: 'warn',
      detail: '1 of 1 replica takes no reads. b:5432: It is 40 MB behind.',
    })
    const down = { ...replica, role: 'down', roundTrip: null }
    expect(judged({ servers: [primary, replica, down] }, 'servers')?.state).toBe('warn')
  })

  it('warns of clocks that are five seconds apart, whichever is ahead', () => {
    expect(judged({ clockAhead: null }, 'clock')).toBeUndefined()
    expect(judged({ clockAhead: 4_999 }, 'clock')?.state).toBe('ok')
    expect(judged({ clockAhead: 7_000 }, 'clock')?.detail).toBe(
      "The database's clock is 7 s ahead of this one.",
    )
    expect(judged({ clockAhead: -5_000 }, 'clock')).toMatchObject({ state: 'warn' })
  })

  it('warns of a disk with little room, and calls next to none bad', () => {
    const disk = (free: number) => judged({ disk: { ...well.disk, free } }, 'disk')?.state
    expect([disk(GB), disk(GB - 1), disk(50 * 2 ** 20)]).toEqual(['ok', 'warn', 'bad'])
  })

  it('calls a changed log bad, and one that no checkpoint protects', () => {
    expect(judged({ audit: { problem: null, sound: true } }, 'audit')?.state).toBe('ok')
    expect(
      judged({ audit: { problem: 'The folder cannot be written.', sound: true } }, 'audit'),
    ).toMatchObject({ state: 'bad', detail: 'The folder cannot be written.' })
    expect(judged({ audit: { problem: null, sound: false } }, 'audit')?.state).toBe('bad')
  })

  it('warns of alerts that could not be delivered, and of servers that are not called', () => {
    const channels = [
      { name: 'Mail', dead: 0 },
      { name: 'Pager', dead: 2 },
    ]
    expect(judged({ channels }, 'alerts')?.detail).toBe(
      '2 alerts could not be delivered, the first by Pager.',
    )
    expect(judged({ unreachable: ['https://a.example'] }, 'outbound')?.state).toBe('warn')
  })

  it('leads to a run that failed, and says why', () => {
    const run = { id: 'r1', name: 'shop.db', state: 'failed', error: 'The target is full.' }
    expect(judged({ run }, 'migration')).toMatchObject({
      ...{ state: 'warn', href: '/migration/r1' },
      detail: 'The last run, of shop.db, failed. The target is full.',
    })
    expect(judged({ run: { ...run, state: 'completed', error: null } }, 'migration')?.state).toBe('ok')
  })

  it('warns of consoles of two versions', () => {
    expect(judged({ consoles: ['1.0.0', '1.0.0'] }, 'consoles')?.state).toBe('ok')
    expect(judged({ consoles: ['1.0.0', '1.1.0'] }, 'consoles')?.state).toBe('warn')
  })
})
