import fc from 'fast-check'

const deep = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as unknown

/** Values that no field, or hardly any, takes. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, -1, 0, -0, 1.5, 1e308, -1e308, 5e-324, 2 ** 53, -(2 ** 53), 2 ** 31, 8.64e15 + 1],
    ...['', ' ', '\u0000', 'a\u0000b', '\ud800', '\udfff\ud800', '\u202e', 'NaN', 'Infinity', '-1', '1e999'],
    ...['__proto__', 'constructor', 'toString', '../../../etc/passwd', "' OR 1=1 --", '%00', '%', '#{7*7}'],
    ...['x'.repeat(20_000), '😀'.repeat(3_000), '9'.repeat(400), [], [[]], {}, deep(200)],
    ...[
      '2026-02-30T25:61:61Z',
      '+275760-09-13T00:00:00.001Z',
      '0000-00-00',
      '00000000-0000-0000-0000-000000000000',
    ],
    ...[JSON.parse('{"__proto__":{"admin":true}}'), { constructor: { prototype: {} } }, { length: -1 }],
    Array.from({ length: 2_000 }, () => 'x'),
  ),
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.double(),
)

/** Values like the valid ones with something wrong in them: another type, too much, too little, out of range. */
export function misfit(fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(fitting, odd, fc.constantFrom('put', 'put', 'put', 'drop', 'add', 'whole', 'list'), fc.nat())
    .map(([value, wrong, how, at]) => {
      if (how === 'whole' || typeof value !== 'object' || value === null) return wrong
      if (how === 'list') return [value, wrong]
      if (how === 'add') {
        const names = ['extra', '__proto__', 'constructor', 'hasOwnProperty', 'then', 'toJSON', '']
        return withField(value, names[at % names.length] as string, wrong)
      }
      const places = placesIn(value)
      const place = places[at % Math.max(1, places.length)]
      return place ? changed(value, place, how === 'drop' ? undefined : wrong) : wrong
    })
}

/** As JSON has it: `__proto__` is a field like any other. */
function withField(value: object, name: string, inner: unknown): object {
  const copy = structuredClone(value)
  Object.defineProperty(copy, name, { value: inner, enumerable: true, configurable: true, writable: true })
  return copy
}

/** Where something can be put: names of hosts are left, since what they are asked for leaves the machine. */
function placesIn(value: object, above: string[] = []): string[][] {
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === 'host' || name === 'url') return []
    const here = [...above, name]
    return typeof inner === 'object' && inner !== null ? [here, ...placesIn(inner, here)] : [here]
  })
}

function changed(value: object, [name = '', ...rest]: string[], wrong: unknown): object {
  const inner = (value as Record<string, unknown>)[name]
  const next = rest.length > 0 ? changed(inner as object, rest, wrong) : wrong
  if (Array.isArray(value)) return value.with(Number(name), next)
  const left = Object.entries(value).filter(([key]) => key !== name)
  return withField(Object.fromEntries(left), name, next)
}
