import { describe, expect, it } from 'vitest'
import type { Run } from '../runs/run'
import { html, tableOf } from './markup'
import { reportPage } from './page'

const run = {
  id: '0b5b6f0e-0000-4000-8000-000000000000',
  sourceKind: 'folder',
  source: '/srv/<shop>.db',
  sourceName: '<shop>.db',
  target: { host: 'db', port: 5432, database: 'shop', user: 'app', schema: 'public' },
  connectionId: null,
  state: 'planned',
  phase: null,
  plan: null,
  checks: [{ id: 'a', title: 'Encoding', state: 'amber', detail: 'SQL_ASCII', remedy: 'Use "UTF8".' }],
  progress: null,
  validation: null,
  report: null,
  error: null,
  createdAt: 0,
  startedAt: null,
  endedAt: null,
} as unknown as Run

describe('the report as a page', () => {
  it('escapes what comes from the source, and asks for nothing from elsewhere', () => {
    const page = reportPage(run, 0)
    expect(page).toContain('&#60;shop&#62;.db')
    expect(page).not.toContain('<shop>')
    expect(page).toContain('Use &#34;UTF8&#34;.')
    expect(page).not.toMatch(/(src|href)=|@import|url\(|<script/)
  })

  it('shows figures, both sides and the mapping of a run that ended', () => {
    const table = { table: 't', rowsTotal: 2, read: 2, written: 2, rejected: 0, bytes: 10, state: 'done' }
    const column = {
      source: 'v',
      target: 'v',
      declaredType: 'INT',
      type: 'bigint',
      nullable: false,
      note: 'by <range>',
    }
    const validation = {
      ok: false,
      checks: [],
      tables: [
        { table: 't', ok: false, sourceRows: 2, targetRows: 1, columns: [], firstDifference: 'id = 7' },
      ],
    }
    const plan = {
      source: { sizeBytes: 1e6, sqliteVersion: '3.50' },
      notCarried: [{ kind: 'view', name: 'w', reason: 'uses julianday', sql: 'CREATE VIEW w' }],
      tables: [{ source: 't', target: 't', rows: 2, columns: [column], notes: [] }],
    }
    const report = { rows: 2, bytes: 10, rejected: 0, transferMilliseconds: 1, phases: [], tables: [table] }
    const page = reportPage({ ...run, plan, validation, report } as unknown as Run, 0)
    for (const text of [
      'The sides differ.',
      'id = 7',
      'by &#60;range&#62;',
      'bigint NOT NULL',
      'CREATE VIEW w',
    ]) {
      expect(page).toContain(text)
    }
  })

  it('draws how fast the transfer was, with a gap where it stood still', () => {
    const speeds = {
      everyMs: 1_000,
      at: [1_000, 2_000, 60_000],
      rowsPerSecond: [2_000, 1_000, 4_000],
      bytesPerSecond: [2e6, 1e6, 4e6],
    }
    const page = reportPage({ ...run, progress: { tables: [], speeds } } as unknown as Run, 0)
    expect(page).toContain('between 1,000 rows/s and 4,000 rows/s, a point each 1 s')
    expect(page).toContain('between 1.00 MB/s and 4.00 MB/s')
    expect(page).toMatch(/d="M0\.0 [\d.]+L10\.2 [\d.]+M600\.0 1\.0"/)
    const older = { everyMs: 1_000, rowsPerSecond: [1, 2] }
    for (const none of [{ everyMs: 1_000, at: [1], rowsPerSecond: [1], bytesPerSecond: [1] }, older]) {
      const short = reportPage({ ...run, progress: { tables: [], speeds: none } } as unknown as Run, 0)
      expect(short).not.toContain('Throughput')
    }
  })

  it('leaves a table without rows out, and escapes in lists', () => {
    expect(tableOf('x', [], [])).toBeNull()
    expect(html`<p>${['<', html`<b>1</b>`, null, 0]}</p>`.text).toBe('<p>&#60;<b>1</b>0</p>')
  })
})
