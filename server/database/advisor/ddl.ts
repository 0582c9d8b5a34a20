import { createHash } from 'node:crypto'
import { quoteName } from './normalise'
import type { IndexKey, IndexShape } from './types'

/** 'orders (customer_id, created_at DESC) INCLUDE (id) WHERE …': an index in one line, without a name. */
export function describeIndex({ table, keys, include, where }: IndexShape): string {
  const covering = include.length > 0 ? ` INCLUDE (${include.map(quoteName).join(', ')})` : ''
  return `${quoteName(table)} (${keys.map(describeKey).join(', ')})${covering}${where ? ` WHERE ${where}` : ''}`
}

function describeKey({ name, expression, descending, operators }: IndexKey): string {
  // A call may stand bare; any other expression needs parentheses of its own.
  const plain = expression ? (/^\w+\(.*\)$/s.test(name) ? name : `(${name})`) : quoteName(name)
  return `${plain}${operators ? ` ${operators}` : ''}${descending ? ' DESC' : ''}`
}

/** The statement that makes an index of this name. */
export function createIndex(shape: IndexShape, name: string, concurrently: boolean): string {
  const schema = shape.schema ? `${quoteName(shape.schema)}.` : ''
  return `CREATE INDEX ${concurrently ? 'CONCURRENTLY ' : ''}${quoteName(name)} ON ${schema}${describeIndex(shape)}`
}

export function dropIndex(shape: IndexShape, name: string, concurrently: boolean): string {
  const schema = shape.schema ? `${quoteName(shape.schema)}.` : ''
  return `DROP INDEX ${concurrently ? 'CONCURRENTLY ' : ''}${schema}${quoteName(name)}`
}

/** A name of at most 63 bytes that says what is in it; the same shape has the same name. */
export function indexName(shape: IndexShape): string {
  const words = [shape.table, ...shape.keys.map(({ name }) => name)].join('_')
  const plain = words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  const hash = createHash('sha256').update(describeIndex(shape)).digest('hex').slice(0, 6)
  return `${plain.slice(0, 52)}_${hash}`
}
