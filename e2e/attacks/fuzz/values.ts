import fc from 'fast-check'
import type { JsonSchema } from './document'

export interface Making {
  /** Values that mean something to the console, for a field of this name. */
  known(field: string): fc.Arbitrary<unknown> | undefined
}

/** Values that a schema takes. Of a field that the console knows values for, most are among those. */
export function valid(schema: JsonSchema, making: Making, field = ''): fc.Arbitrary<unknown> {
  const made = bySchema(schema, making, field)
  // What has a shape of its own shares its name with something plain elsewhere: `source` is text in the log.
  const known = schema.oneOf ? undefined : making.known(field)
  return known ? fc.oneof({ arbitrary: known, weight: 7 }, { arbitrary: made, weight: 1 }) : made
}

function bySchema(schema: JsonSchema, making: Making, field: string): fc.Arbitrary<unknown> {
  const { $ref, anyOf, oneOf, const: only, enum: words, type } = schema
  // The one component that inputs name is any JSON.
  if (typeof $ref === 'string') return fc.jsonValue({ maxDepth: 3 })
  if ('const' in schema) return fc.constant(only)
  if (Array.isArray(words)) return fc.constantFrom(...words)
  const options = (anyOf ?? oneOf) as JsonSchema[] | undefined
  if (options) return fc.oneof(...options.map((option) => bySchema(option, making, field)))
  if (type === 'object') return object(schema, making)
  if (type === 'array') return array(schema, making, field)
  if (type === 'string') return string(schema)
  if (type === 'integer' || type === 'number') return integer(schema)
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  return fc.jsonValue({ maxDepth: 2 })
}

function object(schema: JsonSchema, making: Making): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema
  const fields = Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, inner]) => [name, valid(inner, making, name)] as const,
  )
  // A grant holds for exactly one input: what has a default is given, so that it is the same afterwards.
  const given = Object.entries(properties as Record<string, JsonSchema>)
    .filter(([name, { default: usual }]) => usual !== undefined || (required as string[]).includes(name))
    .map(([name]) => name)
  const own = fc.record(Object.fromEntries(fields), { requiredKeys: given })
  const more = additionalProperties as JsonSchema | false | undefined
  if (!more || Object.keys(more).length === 0) return own
  const key = bySchema({ type: 'string', minLength: 1, ...(propertyNames as JsonSchema) }, making, '')
  const others = fc.dictionary(key as fc.Arbitrary<string>, bySchema(more, making, ''), { maxKeys: 3 })
  return fc.tuple(others, own).map(([other, mine]) => ({ ...other, ...mine }))
}

function array({ items = {}, minItems = 0, maxItems = 100 }: JsonSchema, making: Making, field: string) {
  const most = Math.max(Number(minItems), Math.min(Number(maxItems), 6))
  const singular = field.replace(/s$/, '')
  const item = valid(items as JsonSchema, making, singular)
  return fc.array(item, { minLength: Number(minItems), maxLength: most })
}

function integer({ minimum, exclusiveMinimum, maximum }: JsonSchema): fc.Arbitrary<number> {
  const min = Number(minimum ?? Number(exclusiveMinimum ?? Number.MIN_SAFE_INTEGER - 1) + 1)
  const max = Number(maximum ?? Number.MAX_SAFE_INTEGER)
  const near = fc.integer({ min: 0, max: 100 }).map((step) => Math.min(max, Math.max(min, 0) + step))
  return fc.oneof(near, fc.maxSafeInteger().map(into(min, max)), fc.constantFrom(min, max))
}

const into = (min: number, max: number) => (value: number) =>
  Number(
    BigInt(min) +
      (((BigInt(value) % (BigInt(max) - BigInt(min) + 1n)) + BigInt(max) - BigInt(min) + 1n) %
        (BigInt(max) - BigInt(min) + 1n)),
  )

/** Most text is plain; some of it is what people write elsewhere, and some is as long as may be. */
function string({
  format,
  pattern,
  allOf,
  minLength = 0,
  maxLength = 300,
}: JsonSchema): fc.Arbitrary<string> {
  const least = Number(minLength)
  const most = Number(maxLength)
  if (format === 'uuid') return fc.uuid()
  if (format === 'email') return fc.integer({ min: 1, max: 10_000 }).map((at) => `person-${at}@example.org`)
  const patterns = [pattern, ...((allOf as JsonSchema[] | undefined) ?? []).map((one) => one.pattern)].filter(
    (one) => typeof one === 'string',
  )
  const fits = (text: string) =>
    text.length >= least && text.length <= most && patterns.every((one) => new RegExp(one, 'u').test(text))
  if (patterns.length > 0) return fc.oneof(...patterns.map(matching), plain(least)).filter(fits)
  const long = fc.constantFrom('x', 'é', '漢').map((letter) => letter.repeat(Math.min(most, 5_000)))
  return fc
    .oneof(
      { arbitrary: plain(least), weight: 6 },
      {
        arbitrary: fc.string({ unit: 'grapheme', minLength: least, maxLength: Math.min(most, 40) }),
        weight: 2,
      },
      { arbitrary: long, weight: 1 },
    )
    .filter((text) => text.trim() === text && fits(text))
}

const plain = (least: number) =>
  fc
    .array(fc.constantFrom('shop', 'two', 'orders', '7', 'ünïcode', "o'hara", '100%', 'a_b', 'x*'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((words) => words.join(' ').padEnd(least, '.'))

/** Of a pattern that fast-check cannot follow (it looks ahead) plain words are tried. */
function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'))
  } catch {
    return fc.constantFrom('orders', 'shop', 'a', 'x_1')
  }
}
