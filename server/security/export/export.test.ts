import { asc } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { unit } from '@/db/unit'
import { type AuditEvent, type AuditRow, appendAuditBatch, system, verifyRows } from '@/server/audit'
import { type EventFilter, matcherOf } from '../events/filter'
import { browser, openAccounts } from '../testing/accounts'
import { code } from '../testing/events'

const append = unit('test.append', (tx, events: AuditEvent[]) => appendAuditBatch(tx, events))
const { by } = browser()
const key = (id: string) => (id === testAuditKey.id ? testAuditKey.key : undefined)

const begin = 1_760_000_000_000
const names = [
  'authn_login_fail',
  'authn_login_success',
  'authz_fail',
  'sys_startup',
  'user_created',
] as const
const actors = ['ana@example.org', 'Ana@Example.org', 'vic', '=1+1', 'straße, "quoted"\\']

/** The event of a number: no two of a thousand are the same. */
const event = (number: number): AuditEvent => ({
  ...system,
  ...{ time: begin + number * 1_000, event: names[number % names.length] ?? 'sys_startup' },
  ...{ actor: actors[number % 3] ?? 'vic', outcome: number % 4 === 0 ? 'failure' : 'success' },
  ...{ address: `203.0.113.${number % 250}`, userAgent: number % 2 ? 'curl/8' : null },
  ...{
    target: `user:${number % 7}`,
    reason: number % 5 ? null : 'wrong, again',
    source: number % 6 ? null : 'shop',
  },
  after: { number, note: 'a "quoted" straße' },
})

describeStores((open) => {
  async function start(count: number) {
    const store = await open()
    const { security, clock } = await openAccounts(store)
    for (let from = 0; from < count; from += 500) {
      const size = Math.min(500, count - from)
      await store.run(
        append,
        Array.from({ length: size }, (_, at) => event(from + at)),
      )
    }
    const file = (
      format: 'ndjson' | 'csv',
      filter: EventFilter = {},
      signal = new AbortController().signal,
    ) => security.export({ format, filter }, by, signal)
    const text = async (format: 'ndjson' | 'csv', filter: EventFilter = {}) =>
      (await all((await file(format, filter)).pieces)).join('')
    return { store, file, text, clock }
  }

  it('holds every column as it was hashed: an export of all verifies by itself', async () => {
    const { store, text } = await start(4_600)
    const before = await rowsOf(store)
    const rows = parseLines(await text('ndjson'))
    expect(rows).toEqual(before)
    expect(verifyRows(rows, { key })).toEqual([])
  })

  it('holds exactly what its filter means, and is noted with it', async () => {
    const { store, text } = await start(2_500)
    const filters: EventFilter[] = [
      { from: begin + 5_000, to: begin + 300_000 },
      { actor: 'ANA@example.org' },
      { address: '203.0.113.0/29', outcomes: ['failure'] },
      { events: ['authn_*', 'user_created'], severities: ['low'] },
      { target: 'user:3', source: 'shop' },
      { source: 'console', text: 'AGAIN vic' },
      { actor: 'nobody' },
    ]
    for (const filter of filters) {
      const known = await rowsOf(store)
      const rows = parseLines(await text('ndjson', filter))
      expect(rows).toEqual(known.filter(matcherOf(filter)))
      const noted = (await rowsOf(store)).at(-1)
      expect(noted).toMatchObject({ event: 'sensitive_export', outcome: 'success', target: 'audit-log' })
      expect(JSON.parse(noted?.after ?? '')).toEqual({ format: 'ndjson', filter })
    }
    expect(await text('csv', { actor: 'nobody' })).toMatch(/^seq,epoch,time,[\w,]+\r\n$/)
  })

  it('holds nothing that came after it was asked for', async () => {
    const { store, file } = await start(2_100)
    const asked = await file('ndjson')
    const known = (await rowsOf(store)).slice(0, -1)
    const first = await asked.pieces.next()
    await store.run(
      append,
      Array.from({ length: 100 }, (_, at) => event(at)),
    )
    const rest = await all(asked.pieces)
    expect(parseLines(`${first.value}${rest.join('')}`)).toEqual(known)
  })

  it('comes in pieces that the collector frees while they are young', async () => {
    const { file } = await start(2_100)
    for (const filter of [{}, { text: 'quoted' }]) {
      const { pieces } = await file('ndjson', filter)
      const sizes = (await all(pieces)).map(({ length }) => length)
      expect(Math.max(...sizes)).toBeLessThan(64 * 1024)
      expect(sizes.length).toBeLessThan(45)
    }
  })

  it('makes no formula for a spreadsheet of what somebody sent, and loses nothing of it', async () => {
    const { store, text } = await start(0)
    const said = [
      '=HYPERLINK("http://evil.example","x")',
      '+1',
      '-1+1|cmd',
      '@SUM(A1)',
      ' =1+1',
      '＝1+1',
      'plain',
      '',
      'with, comma "and quotes"',
      "'quoted",
    ]
    await store.run(
      append,
      said.map((actor) => ({ ...event(1), actor, target: actor, reason: actor, userAgent: '\t=1\r\n' })),
    )
    const [header, ...records] = parseCsv(await text('csv', { events: ['authn_login_success'] }))
    const at = (name: string) => header?.indexOf(name) ?? -1
    expect(records).toHaveLength(said.length)
    for (const [number, value] of said.entries()) {
      const record = records[number]
      const expected = /^\s*[=+\-@＝]/.test(value) ? `'${value}` : value
      for (const name of ['actor', 'target', 'reason']) expect(record?.[at(name)]).toBe(expected)
      expect(record?.[at('userAgent')]).toBe("' =1  ")
      expect(record?.[at('time')]).toBe('2025-10-09T08:53:21.000Z')
    }
    const rows = await rowsOf(store)
    expect(records.map((record) => Number(record[at('seq')]))).toEqual(
      rows.filter((row) => row.event === 'authn_login_success').map(({ seq }) => seq),
    )
  })

  it('tells times to the millisecond', async () => {
    const { store, text } = await start(0)
    const times = [0, 1, 999, 1_764_396_000_001, 1_764_396_000_999, 1_764_399_599_009]
    await store.run(
      append,
      times.map((time) => ({ ...event(1), time })),
    )
    const records = parseCsv(await text('csv', { events: ['authn_login_success'] }))
    expect(records.slice(1).map((record) => record[2])).toEqual(
      times.map((time) => new Date(time).toISOString()),
    )
  })

  it('ends with its client, and refuses a fifth at once', async () => {
    const { file } = await start(4_500)
    const ending = new AbortController()
    const files = await Promise.all(Array.from({ length: 4 }, () => file('csv', {}, ending.signal)))
    await expect(file('csv')).rejects.toEqual(code('TOO_MANY_REQUESTS'))
    const [broken] = files
    if (!broken) throw new Error('There is no export.')
    await broken.pieces.next()
    await broken.pieces.next()
    ending.abort()
    await expect(all(broken.pieces)).rejects.toThrow('aborted')
    const another = await file('csv')
    await another.pieces.next()
    await another.pieces.return(undefined)
    expect(await another.pieces.next()).toEqual({ done: true, value: undefined })
  })
})

async function all(pieces: AsyncIterable<string>): Promise<string[]> {
  const read: string[] = []
  for await (const piece of pieces) read.push(piece)
  return read
}

async function rowsOf(store: Store): Promise<AuditRow[]> {
  const { auditEvents } = store.tables
  return store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
}

function parseLines(text: string): AuditRow[] {
  expect(text === '' || text.endsWith('\n')).toBe(true)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Records after RFC 4180. Throws for anything else. */
function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  for (const [whole, quoted, plain = '', end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g,
  )) {
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (whole === undefined || end === ',') continue
    records.push(record)
    record = []
  }
  if (records.some(({ length }) => length !== records[0]?.length))
    throw new Error('Not every record is as long.')
  return records
}
