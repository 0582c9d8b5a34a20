import { expect, it } from 'vitest'
import { noEvidence } from '../source/evidence'
import type { SampledColumn } from '../source/samples'
import type { ColumnEvidence } from '../types'
import { LONGEST } from './fits'
import { candidates } from './options'

/** What a column may hold: what of it is counted, and what its samples look like. */
const HELD: [string, Partial<ColumnEvidence>, SampledColumn['forms']?][] = [
  ['nothing', { rows: 0 }],
  ['NULL alone', { nulls: 100 }],
  ['0 and 1', { integers: 100, min: '0', max: '1' }],
  ['1 and 2', { integers: 100, min: '1', max: '2' }],
  ['-1 and 1', { integers: 100, min: '-1', max: '1' }],
  ['0 and 1.0', { integers: 50, reals: 50, min: '0', max: '1' }],
  ['16 bits', { integers: 100, min: '-32768', max: '32767' }],
  ['more than 16 bits', { integers: 100, min: '-32768', max: '32768' }],
  ['less than 16 bits', { integers: 100, min: '-32769', max: '32767' }],
  ['31 bits', { integers: 100, min: '-1073741824', max: '1073741823' }],
  ['more than 31 bits', { integers: 100, min: '-1073741824', max: '1073741824' }],
  ['less than 31 bits', { integers: 100, min: '-1073741825', max: '1073741823' }],
  ['32 bits', { integers: 100, min: '-2147483648', max: '2147483647' }],
  ['more than 32 bits', { integers: 100, min: '-2147483648', max: '2147483648' }],
  ['fractions', { reals: 100, min: '0.5', max: '1.5' }],
  ['fractions of the scale', { reals: 100, min: '0.5', max: '1.5', decimal: true }],
  ['fractions and infinity', { reals: 100, min: '0.5', max: 'Infinity' }],
  ['integers and fractions', { integers: 30, reals: 70, min: '0.5', max: '9' }],
  ['integers and -infinity', { integers: 30, reals: 70, min: '-Infinity', max: '9007199254740991' }],
  ['large integers and infinities', { integers: 30, reals: 70, min: '-Infinity', max: 'Infinity' }],
  ['texts', { texts: 100, maxBytes: 5 }],
  ['longer texts', { texts: 100, maxBytes: 6 }],
  ['texts of 400 MB', { texts: 100, maxBytes: LONGEST }],
  ['longer texts than that', { texts: 100, maxBytes: LONGEST + 1 }],
  ['dates', { texts: 100, shape: 'date' }, ['date']],
  ['times with zone', { texts: 100, shape: 'T3Z' }, ['T3Z']],
  ['samples of times', { texts: 100 }, [' 0']],
  ['samples of words of truth', { texts: 100 }, ['flag']],
  ['samples of uuids', { texts: 100 }, ['uuid']],
  ['samples of json', { texts: 100 }, ['json']],
  ['texts and integers', { texts: 40, integers: 60 }],
  ['texts and fractions', { texts: 40, reals: 60 }],
  ['blobs', { blobs: 100, maxBytes: 5 }],
  ['blobs and texts', { blobs: 40, texts: 60 }],
  ['blobs and numbers', { blobs: 40, integers: 20, reals: 40 }],
]

const TYPES = [
  ...['', 'INTEGER', 'INT', 'REAL', 'TEXT', 'VARCHAR(5)', 'BLOB', 'BOOLEAN', 'DATE', 'DATETIME'],
  ...['DECIMAL(4,2)', 'NUMERIC', 'MONEY', 'JSON'],
]

/** Spellings that mean the same, and neighbours that don't. */
const SPELLINGS = [
  ...[' bool ', 'BOOLX', 'XBOOL', ' date ', 'DATES', 'UPDATE', 'TIMESTAMP(3)', ' timestamptz ', 'XTIMESTAMP'],
  ...[' dec ( 4 , 2 ) ', 'NUMBER(4)', 'NUMBER(12 )', 'NUMERIC(15,15)', 'NUMERIC(15,12)', 'NUMERIC(16,2)'],
  ...[
    'DECIMAL(1,0)',
    'DECIMAL(0,0)',
    'DECIMAL(2,3)',
    'DECIMAL(4,2) X',
    'XDECIMAL(4,2)',
    ' numeric ',
    'XNUMERIC',
  ],
  ...[' int ', 'INT4', 'INT2', 'INT8', 'MEDIUMINT', 'int (11)', 'MEDIUMINT(8)', 'TINYINT UNSIGNED', 'INTX'],
  ...['SMALLINT(5) UNSIGNED', 'XINT', 'INT UNSIGNED', ' nvarchar ( 5 ) ', 'VARCHAR2(5)', 'NVARCHAR2(15)'],
  ...['CHARACTER VARYING(5)', 'VARYING CHARACTER(5)', 'NCHAR(5)', 'CHAR(5)', 'CHARACTER(5)'],
  ...['NATIVE CHARACTER(5)', 'VARCHAR(0)', 'VARCHAR(1)', 'VARCHAR(10485760)', 'VARCHAR(10485761)'],
  ...['VARCHAR(5) X', 'XVARCHAR(5)', ' jsonb ', 'JSONX', 'XJSON'],
]

const look = (
  declaredType: string,
  held: Partial<ColumnEvidence>,
  forms: SampledColumn['forms'] = [],
  name = 'c',
) =>
  candidates({ name, declaredType, forms, samples: [] }, { ...noEvidence, rows: 100, ...held })
    .map(({ type, render, refused, shape, note }) => {
      const lost = refused === null ? '?' : refused
      return `${type} as ${render}${shape ? ` of "${shape}"` : ''}, loses ${lost}${note ? ` (${note})` : ''}`
    })
    .join(' | ')

/** Every decision in one file that can be read; `npx vitest run -u` writes it anew after a change that is meant. */
it('decides what a column becomes, and what else it may become, by its declaration and all it holds', async () => {
  const all = TYPES.flatMap((type) => [
    `\n${type || 'no type'}`,
    ...HELD.map(([held, evidence, forms]) => `  ${held}: ${look(type, evidence, forms)}`),
  ])
  await expect(`${all.join('\n').trim()}\n`).toMatchFileSnapshot('testing/decisions.txt')
})

it('reads declarations as people write them', async () => {
  const [empty, bits, text] = [
    { rows: 0 },
    { integers: 100, min: '0', max: '1' },
    { texts: 100, maxBytes: 5 },
  ]
  const all = SPELLINGS.flatMap((type) => [
    `\n"${type}"`,
    `  nothing: ${look(type, empty)}`,
    `  0 and 1: ${look(type, bits)}`,
    `  fractions: ${look(type, { reals: 100, min: '0.5', max: '1.5', decimal: true })}`,
    `  texts: ${look(type, text)}`,
    `  times: ${look(type, { texts: 100, shape: ' 0' }, [' 0'])}`,
  ])
  await expect(`${all.join('\n').trim()}\n`).toMatchFileSnapshot('testing/spellings.txt')
})

it.each([
  ['99999999', 'none'],
  ['100000000', 'seconds'],
  ['99999999999', 'seconds'],
  ['100000000000', 'milliseconds'],
  ['99999999999999', 'milliseconds'],
  ['100000000000000', 'none'],
  ['2299999.5', 'none'],
  ['2300000', 'julian'],
  ['2599999.5', 'julian'],
  ['2600000', 'none'],
])('takes %s for the last moment of a column by its size: %s', (max, unit) => {
  const held = { reals: 100, min: '0', max }
  expect(/zone as (\w+)/.exec(look('NUMERIC', held, [], 'created_at'))?.[1] ?? 'none').toBe(unit)
})

it('takes numbers of these years for moments without a name, if the first is of the same unit', () => {
  const of = (min: string, max: string, name = 'n') =>
    /zone as (\w+), loses (\S+)/
      .exec(look('INTEGER', { integers: 100, min, max }, [], name))
      ?.slice(1)
      .join(' ')
  expect(of('940000000', '1700000000')).toBe('seconds 0')
  expect(of('939999999', '1700000000')).toBeUndefined()
  expect(of('1600000000', '1700000000000')).toBeUndefined()
  expect(of('1600000000000', '1700000000000')).toBe('milliseconds 0')
  // What lies before 1970 is tried on every row.
  expect(of('-5', '1700000000', 'sent_at')).toBe('seconds ?')
  expect(of('0', '1700000000', 'sent_at')).toBe('seconds 0')
  for (const name of ['mtime', 'birthday', 'expires', 'lastSeenOn', 'startTime', 'a_date_b'])
    expect(of('0', '1700000000', name), name).toBe('seconds 0')
  for (const name of ['format', 'update', 'status', 'data', 'season', 'one'])
    expect(of('0', '1700000000', name), name).toBeUndefined()
})
