import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fitsTest, isFalse, isFlagWord, isTrue } from './fits'

let db: Database.Database
beforeAll(() => {
  db = new Database(':memory:')
})
afterAll(() => db.close())

type Value = string | number | bigint | Buffer | null
type Tested = Parameters<typeof fitsTest>[1]

const evaluate = (sql: string, value: Value) =>
  (db.prepare(`SELECT ${sql} AS fits FROM (SELECT ? AS "v")`).get(value) as { fits: number }).fits === 1

/** Of these values, those that SQLite says the type holds. */
function held(tested: Tested, values: Value[]): Value[] {
  const test = fitsTest('"v"', tested) as string
  return values.filter((value) => evaluate(test, value))
}

const blob = Buffer.from('31', 'hex')

describe('what a type holds', () => {
  it('is NULL, always', () => {
    for (const render of ['integer', 'boolean', 'flag', 'real', 'numeric', 'uuid', 'json', 'jsonb'] as const)
      expect(held({ type: 'any', render }, [null])).toEqual([null])
    expect(held({ type: 'text', render: 'text' }, [null])).toEqual([null])
    expect(held({ type: 'date', render: 'time', shape: 'date' }, [null])).toEqual([null])
  })

  it('is for integers those within its range, and no number that only looks like one', () => {
    const values = [-32_769n, -32_768n, 32_767n, 32_768n, -2_147_483_649n, 2_147_483_647n, 1.0, '1', blob]
    const of = (type: string) => held({ type, render: 'integer' }, values)
    expect(of('smallint')).toEqual([-32_768n, 32_767n])
    expect(of('integer')).toEqual([-32_769n, -32_768n, 32_767n, 32_768n, 2_147_483_647n])
    expect(of('bigint')).toEqual(values.slice(0, 6))
  })

  it('is for truths 0 and 1, or the words for them', () => {
    const values = [0n, 1n, 2n, -1n, 1.0, '1', 'T', 'no', 'OFF', 'maybe', blob]
    expect(held({ type: 'boolean', render: 'boolean' }, values)).toEqual([0n, 1n])
    expect(held({ type: 'boolean', render: 'flag' }, values)).toEqual([0n, 1n, '1', 'T', 'no', 'OFF'])
    for (const word of ['t', 'True', 'y', 'YES', 'on', '1']) {
      expect([evaluate(isTrue('"v"'), word), evaluate(isFalse('"v"'), word), isFlagWord(word)]).toEqual([
        ...[true, false, true],
      ])
    }
    for (const word of ['f', 'False', 'n', 'NO', 'off', '0']) {
      expect([evaluate(isTrue('"v"'), word), evaluate(isFalse('"v"'), word), isFlagWord(word)]).toEqual([
        ...[false, true, true],
      ])
    }
    expect(isFlagWord('maybe')).toBe(false)
  })

  it('is for doubles what they hold exactly', () => {
    const edge = 2n ** 53n
    const values = [0.1, Number.POSITIVE_INFINITY, edge, edge + 1n, -edge, -edge - 1n, '0.1', blob]
    expect(held({ type: 'double precision', render: 'real' }, values)).toEqual([
      ...[0.1, Number.POSITIVE_INFINITY, edge, -edge],
    ])
  })

  it('is for decimals what is finite and within precision and scale', () => {
    const values = [12n, 999.99, -999.99, 1000n, -1000n, 0.125, 1e300, Number.NEGATIVE_INFINITY, '12', blob]
    expect(held({ type: 'numeric(5,2)', render: 'numeric' }, values)).toEqual([12n, 999.99, -999.99])
    expect(held({ type: 'numeric', render: 'numeric' }, values)).toEqual(values.slice(0, 7))
  })

  it('is for texts what is no blob, and short enough in characters', () => {
    const values = ['ééé', 'four', 123n, 1.5, blob]
    expect(held({ type: 'text', render: 'text' }, values)).toEqual(['ééé', 'four', 123n, 1.5])
    expect(held({ type: 'character varying(3)', render: 'text' }, values)).toEqual(['ééé', 123n, 1.5])
    expect(held({ type: 'bytea', render: 'bytes' }, values)).toEqual(values)
  })

  it('is for UUIDs and JSON what is in their form', () => {
    const uuid = '01234567-89ab-CDEF-0123-456789abcdef'
    const values = [uuid, uuid.replaceAll('-', ''), `${uuid}0`, `g${uuid.slice(1)}`, 1n]
    expect(held({ type: 'uuid', render: 'uuid' }, values)).toEqual([uuid])
    const json = ['{"a":1}', '"\\u0000"', '[1', '7', 7n]
    expect(held({ type: 'json', render: 'json' }, json)).toEqual(['{"a":1}', '"\\u0000"', '7'])
    expect(held({ type: 'jsonb', render: 'jsonb' }, json)).toEqual(['{"a":1}', '7'])
  })
})

describe('the moments that a type holds', () => {
  const time = (shape: NonNullable<Tested['shape']>) => (values: Value[]) =>
    held({ type: 'timestamp without time zone', render: 'time', shape }, values)

  it('are real ones, after the year 0, in the one form', () => {
    expect(
      time('date')(['2024-02-29', '2023-02-29', '0000-01-01', '0001-01-01', '2024-2-9', 20240229n]),
    ).toEqual([...['2024-02-29', '0001-01-01']])
    const seconds = ['2024-02-29 12:00:00', '2024-02-29 24:00:00', '2024-02-29', '2024-02-29T12:00:00']
    expect(time(' 0')(seconds)).toEqual(['2024-02-29 12:00:00'])
    expect(time('T0')(seconds)).toEqual(['2024-02-29T12:00:00'])
  })

  it('have as many digits, and a zone where the form has one', () => {
    const values = ['', '.123', '.123456', 'Z', '.123Z', '.123456Z', '.12x', '+01:00'].map(
      (tail) => `2024-02-29 12:00:00${tail}`,
    )
    const tails = (shape: NonNullable<Tested['shape']>) =>
      time(shape)(values).map((value) => String(value).slice(19))
    expect(tails(' 3')).toEqual(['.123'])
    expect(tails(' 6')).toEqual(['.123456'])
    expect(tails(' 0Z')).toEqual(['Z'])
    expect(tails(' 3Z')).toEqual(['.123Z'])
    expect(tails(' 6Z')).toEqual(['.123456Z'])
    expect(time('T3')(['2024-02-30T12:00:00.123', '2024-02-29T12:00:00.123'])).toHaveLength(1)
  })

  it('are numbers of the years 1 to 9999', () => {
    const first = -62_135_596_800
    const last = 253_402_300_799
    const whole = [first - 1, first, 0, last, last + 1].map(BigInt)
    const type = 'timestamp with time zone'
    expect(held({ type, render: 'seconds' }, [...whole, 1.5, '0'])).toEqual([...whole.slice(1, 4), 1.5])
    const thousands = whole.map((value) => value * 1000n)
    expect(held({ type, render: 'milliseconds' }, [...thousands, 1.5, '0'])).toEqual(thousands.slice(1, 4))
    expect(
      held({ type, render: 'julian' }, [1_721_425.4, 1_721_425.5, 2_460_000n, 5_373_484.4, 5_373_485n]),
    ).toEqual([...[1_721_425.5, 2_460_000n, 5_373_484.4]])
  })

  it('are not asked for where there is no form', () => {
    expect(fitsTest('"v"', { type: 'date', render: 'time' })).toBe(null)
  })
})
