/**
 * What JSON can't carry, in JSON: an object whose `$t` names the type. A plain object that has a `$t` itself is
 * wrapped, so that nothing is mistaken.
 */
type Tagged = { $t: string; v?: unknown }

/** A value as plain data for JSON.stringify. */
export function toTagged(value: unknown): unknown {
  switch (typeof value) {
    case 'undefined':
      return { $t: 'undefined' } satisfies Tagged
    case 'bigint':
      return { $t: 'bigint', v: value.toString() } satisfies Tagged
    case 'number':
      if (Object.is(value, -0)) return { $t: 'number', v: '-0' } satisfies Tagged
      return Number.isFinite(value) ? value : ({ $t: 'number', v: String(value) } satisfies Tagged)
    case 'object':
      return value === null ? null : objectToTagged(value)
    default:
      return value
  }
}

function objectToTagged(value: object): unknown {
  if (Array.isArray(value)) return value.map(toTagged)
  if (value instanceof Date) return { $t: 'date', v: Number.isNaN(value.getTime()) ? null : value.getTime() }
  if (value instanceof Map) return { $t: 'map', v: [...value].map((pair) => pair.map(toTagged)) }
  if (value instanceof Set) return { $t: 'set', v: [...value].map(toTagged) }
  if (value instanceof Uint8Array) {
    const v = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    return { $t: Buffer.isBuffer(value) ? 'buffer' : 'bytes', v }
  }
  const fields = mapFields(value, toTagged)
  return '$t' in value ? { $t: 'object', v: fields } : fields
}

/** The value behind what {@link toTagged} made. Throws for an unknown type. */
export function fromTagged(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data
  if (Array.isArray(data)) return data.map(fromTagged)
  if (!('$t' in data)) return mapFields(data, fromTagged)
  const { $t, v } = data as Tagged
  switch ($t) {
    case 'undefined':
      return undefined
    case 'bigint':
      return BigInt(v as string)
    case 'number':
      return Number(v)
    case 'date':
      return new Date((v as number | null) ?? Number.NaN)
    case 'map':
      return new Map((v as [unknown, unknown][]).map(([key, item]) => [fromTagged(key), fromTagged(item)]))
    case 'set':
      return new Set((v as unknown[]).map(fromTagged))
    case 'buffer':
      return Buffer.from(v as string, 'base64')
    case 'bytes':
      return new Uint8Array(Buffer.from(v as string, 'base64'))
    case 'object':
      return mapFields(v as object, fromTagged)
    default:
      throw new Error(`Unknown type ${$t} in an entry.`)
  }
}

function mapFields(value: object, map: (field: unknown) => unknown): object {
  const result: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    if (key === '__proto__') {
      Object.defineProperty(result, key, {
        ...{ value: map(field), enumerable: true, writable: true, configurable: true },
      })
    } else {
      result[key] = map(field)
    }
  }
  return result
}
