import { describe, expect, it } from 'vitest'
import { noEvidence } from '../source/evidence'
import type { ColumnEvidence } from '../types'
import { candidates } from './options'

const evidence = (more: Partial<ColumnEvidence>): ColumnEvidence => ({ ...noEvidence, rows: 100, ...more })

const offered = (
  declaredType: string,
  more: Partial<ColumnEvidence>,
  { name = 'c', forms = [] }: Partial<Parameters<typeof candidates>[0]> = {},
) =>
  candidates({ name, declaredType, forms, samples: [] }, evidence(more)).map(
    ({ type, render, refused }) => `${type} ${render} ${refused}`,
  )

describe('the types that a column may get', () => {
  it('are narrower integers where all values fit, and bigint always', () => {
    expect(offered('INTEGER', { integers: 100, min: '0', max: '40000' })).toEqual([
      'bigint integer 0',
      'integer integer 0',
      'numeric numeric 0',
      'text text 0',
    ])
    expect(offered('INT', { integers: 100, min: '0', max: '7' }).slice(0, 3)).toEqual([
      'integer integer 0',
      'bigint integer 0',
      'smallint integer 0',
    ])
  })
  it('are known without another look at the rows for columns of one kind', () => {
    for (const offers of [
      offered('REAL', { reals: 100, min: '-1.5', max: '2.5' }),
      offered('INTEGER', { integers: 100, min: '0', max: '1700000000' }, { name: 'at' }),
      offered('TEXT', { texts: 100 }),
      offered('BOOLEAN', { integers: 100, min: '0', max: '1' }),
      offered('DATETIME', { texts: 100, shape: ' 0' }, { forms: [' 0'] }),
      offered('DECIMAL(8,2)', { reals: 100, decimal: true, min: '0', max: '9' }),
    ])
      expect(offers.filter((offer) => offer.endsWith('null'))).toEqual([])
  })
  it('count what a mixed column would lose', () => {
    expect(offered('INTEGER', { integers: 97, texts: 3 })).toEqual([
      'text text 0',
      'bigint integer 3',
      'numeric numeric null',
      'bytea bytes 0',
    ])
    expect(offered('TEXT', { texts: 99, blobs: 1 })).toEqual(['bytea bytes 0', 'text text 1'])
    expect(offered('BLOB', { blobs: 100 })).toEqual(['bytea bytes 0'])
  })
  it('are uuid, jsonb and booleans where texts look like them, never proposed', () => {
    expect(offered('TEXT', { texts: 100 }, { forms: ['uuid'] })).toEqual([
      'text text 0',
      'uuid uuid null',
      'bytea bytes 0',
    ])
    expect(offered('TEXT', { texts: 100 }, { forms: ['json'] })).toContain('jsonb jsonb null')
    expect(offered('TEXT', { texts: 100 }, { forms: ['flag'] })).toContain('boolean flag null')
    expect(offered('TEXT', { texts: 100 }, { forms: [' 0'] })).toContain(
      'timestamp without time zone time null',
    )
  })
  it('are moments where numbers have the size and the column the name or the declaration', () => {
    const at = (max: string, more: Partial<ColumnEvidence> = {}) =>
      offered('INTEGER', { integers: 100, min: '0', max, ...more }, { name: 'created_at' })
    expect(at('1700000000')).toContain('timestamp with time zone seconds 0')
    expect(at('1700000000000')).toContain('timestamp with time zone milliseconds 0')
    expect(at('12').join()).not.toContain('time zone')
    expect(offered('DATETIME', { reals: 100, min: '2460000.5', max: '2460001.25' })).toContain(
      'timestamp with time zone julian null',
    )
    expect(
      offered('INTEGER', { integers: 100, min: '0', max: '1700000000' }, { name: 'total' }).join(),
    ).not.toContain('time zone')
    expect(
      offered('INTEGER', { integers: 100, min: '0', max: '1700000000' }, { name: 'createdAt' }).join(),
    ).toContain('time zone')
  })
  it('are tried on every row where a value is too long to be carried', () => {
    expect(offered('BLOB', { blobs: 100, maxBytes: 500_000_000 })).toEqual([
      'bytea bytes null',
      'text text null',
    ])
    expect(offered('TEXT', { texts: 100, maxBytes: 500_000_000 })).toEqual([
      'text text null',
      'bytea bytes null',
    ])
  })
  it('keep the length of VARCHAR(n) where texts are short enough to be sure', () => {
    expect(offered('NVARCHAR(160)', { texts: 100, maxBytes: 160 })).toContain('character varying(160) text 0')
    expect(offered('NVARCHAR(160)', { texts: 100, maxBytes: 161 })).toContain(
      'character varying(160) text null',
    )
  })
})
