import type { SampledColumn, TextForm } from '../source/samples'
import type { ColumnEvidence, Render, TimeShape, TypeOption } from '../types'
import { LONGEST } from './fits'
import { affinityOf, decimalOf, isBooleanType, isTimeType, mapColumn, timeType } from './mapping'

/** A type that could be chosen. `refused` null: only trying it on every row tells. */
export interface Candidate extends Omit<TypeOption, 'refused' | 'misfits'> {
  refused: number | null
}

const TOO_LONG = 'Some values are longer than 400 MB, which COPY cannot carry: their rows are rejected.'

const isNumeric = ({ texts, blobs, integers, reals }: ColumnEvidence) =>
  integers + reals > 0 && texts + blobs === 0

/**
 * The types that an admin may choose from, the proposed one first. What the counts say is known at once; forms of
 * texts are offered where samples have them, and numbers as moments where their size and the column's name say so.
 */
export function candidates(column: SampledColumn, evidence: ColumnEvidence): Candidate[] {
  const { declaredType } = column
  const { integers, reals, texts, blobs } = evidence
  const present = integers + reals + texts + blobs
  const proposed = mapColumn(declaredType, evidence)
  const long = evidence.maxBytes > LONGEST
  const { shape } = evidence
  const found: Candidate[] = [
    {
      ...proposed,
      refused: long ? null : 0,
      ...(long && { note: TOO_LONG }),
      ...(proposed.render === 'time' && shape && { shape }),
    },
  ]
  const add = (
    type: string,
    render: Render,
    refused: number | null,
    more: { shape?: TimeShape; note?: string } = {},
  ) => {
    // What would refuse every row is no offer.
    const useless = present > 0 && refused === present
    if (!useless && !found.some((one) => one.type === type)) found.push({ type, render, refused, ...more })
  }
  const affinity = affinityOf(declaredType)

  if (integers > 0 || affinity === 'INTEGER') {
    add('bigint', 'integer', reals + texts + blobs)
    if (within(evidence, 2n ** 31n)) add('integer', 'integer', 0)
    if (within(evidence, 2n ** 15n)) add('smallint', 'integer', 0)
  }
  const decimal = decimalOf(declaredType)
  if (decimal) {
    const fits = present === 0 || (texts + blobs === 0 && evidence.decimal)
    add(`numeric(${decimal.precision},${decimal.scale})`, 'numeric', fits ? 0 : null)
  }
  if (reals > 0 || affinity === 'REAL') add('double precision', 'real', integers > 0 ? null : texts + blobs)
  const finite = isNumeric(evidence) && !/inf/i.test(`${evidence.min} ${evidence.max}`)
  if (integers + reals > 0) add('numeric', 'numeric', finite ? 0 : null)
  offerBoolean(column, evidence, add)
  offerTimes(column, evidence, add)
  if (column.forms.includes('uuid')) add('uuid', 'uuid', null, { note: 'Upper case becomes lower case.' })
  if (column.forms.includes('json') || /^jsonb?\b/i.test(declaredType.trim())) {
    const refused = texts + blobs + integers + reals === 0 ? 0 : null
    add('jsonb', 'jsonb', refused, {
      note: 'Keeps values, not spaces, the order of keys or keys given twice.',
    })
    add('json', 'json', refused, { note: 'Keeps the text as it is.' })
  }
  const length = lengthOf(declaredType)
  if (length)
    add(`character varying(${length})`, 'text', blobs === 0 && evidence.maxBytes <= length ? 0 : null)
  add('text', 'text', long ? null : blobs)
  if (texts + blobs > 0 || present === 0)
    add('bytea', 'bytes', long ? null : 0, {
      note: 'The bytes as they are, for texts with NUL or in no valid UTF-8, too.',
    })
  return found
}

type Add = (
  type: string,
  render: Render,
  refused: number | null,
  more?: { shape?: TimeShape; note?: string },
) => void

function offerBoolean({ declaredType, forms }: SampledColumn, evidence: ColumnEvidence, add: Add): void {
  const { min, max, reals, integers, texts } = evidence
  const bit = (value: string | null) => value === '0' || value === '1'
  if (isNumeric(evidence) && reals === 0 && bit(min) && bit(max)) add('boolean', 'boolean', 0)
  else if (texts > 0 && (forms.includes('flag') || isBooleanType(declaredType)))
    add('boolean', 'flag', null, { note: 'From t, true, y, yes, on, 1 and f, false, n, no, off, 0.' })
  else if (integers > 0 && isBooleanType(declaredType)) add('boolean', 'boolean', null)
}

/** Names of moments in snake_case and camelCase. */
const TIME_NAMES = [
  /(?:^|_)(?:at|on|time|timestamp|ts|date|datetime|when|created|updated|modified|deleted|expires|expiry|[mca]time|birthday)(?:_|$)/i,
  /[a-z](?:At|On|Time|Date|Timestamp)$/,
]

const isShape = (form: TextForm): form is TimeShape => form === 'date' || /^[ T]/.test(form)

function offerTimes({ name, declaredType, forms }: SampledColumn, evidence: ColumnEvidence, add: Add): void {
  const { integers, reals, texts, max, min } = evidence
  const shape = forms.find(isShape) ?? evidence.shape
  if (shape && texts > 0) add(timeType(shape), 'time', evidence.shape === shape ? 0 : null, { shape })
  const named = isTimeType(declaredType) || TIME_NAMES.some((form) => form.test(name))
  // Bounds of a column of several classes are not numbers: nothing is known of the unit.
  if (!isNumeric(evidence)) return
  const unit = unitOf(Number(max))
  // Without a name, values of these years alone are taken for moments.
  if (!unit || !(named || (Number(min) >= 9.4e8 && unitOf(Number(min))?.render === unit.render))) return
  const known = integers > 0 && reals === 0 && Number(min) >= 0
  add('timestamp with time zone', unit.render, known ? 0 : null, { note: unit.note })
}

/** By size: seconds from 1973 on, milliseconds from 1973 on, Julian days of about 1585 to 2405. */
function unitOf(max: number): { render: Render; note: string } | null {
  if (max >= 1e8 && max < 1e11) return { render: 'seconds', note: 'From seconds since 1970, UTC.' }
  if (max >= 1e11 && max < 1e14) return { render: 'milliseconds', note: 'From milliseconds since 1970, UTC.' }
  if (max >= 2.3e6 && max < 2.6e6)
    return { render: 'julian', note: 'From Julian days, UTC, to the millisecond.' }
  return null
}

/** Numbers alone, and all of them below the limit. */
function within(evidence: ColumnEvidence, limit: bigint): boolean {
  const { min, max, reals } = evidence
  if (evidence.rows === evidence.nulls) return true
  if (!isNumeric(evidence) || reals > 0 || min === null || max === null) return false
  return BigInt(min) >= -limit && BigInt(max) < limit
}

/** Characters of VARCHAR(n), NVARCHAR(n) and the like. */
function lengthOf(declaredType: string): number | null {
  const match =
    /^(?:n?varchar2?|character varying|varying character|n?char|character|native character)\s*\(\s*(\d+)\s*\)$/i.exec(
      declaredType.trim(),
    )
  const length = Number(match?.[1] ?? 0)
  return length >= 1 && length <= 10_485_760 ? length : null
}
