/** Writes files in MaxMind's MMDB format 2.0 for tests: IPv4 networks alone, records of 24 bits. */

type Value = string | number | { [key: string]: Value } | Value[]

const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')

function head(type: number, size: number): Buffer {
  const [low, more] = size < 29 ? [size, []] : [29, [size - 29]]
  return Buffer.from(type < 8 ? [(type << 5) | low, ...more] : [low, type - 7, ...more])
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return Buffer.concat([head(3, 8), bytes])
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return Buffer.concat([head(6, 4), bytes])
}

/** Numbers are unsigned where they are whole, and doubles where they are places. */
function encode(value: Value, key = ''): Buffer {
  if (typeof value === 'string') return Buffer.concat([head(2, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number') return key.endsWith('itude') ? double(value) : unsigned(value)
  if (Array.isArray(value))
    return Buffer.concat([head(11, value.length), ...value.map((each) => encode(each))])
  const entries = Object.entries(value)
  const pairs = entries.flatMap(([name, inner]) => [encode(name), encode(inner, name)])
  return Buffer.concat([head(7, entries.length), ...pairs])
}

/** `networks`: CIDR to what the file tells of it. */
export function mmdbOf(networks: Record<string, Value>): Buffer {
  type Node = [Node | number | null, Node | number | null]
  const root: Node = [null, null]
  const data: Buffer[] = []
  let at = 0
  for (const [network, value] of Object.entries(networks)) {
    const [address = '', length = '32'] = network.split('/')
    const bits = address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
    let node = root
    for (const bit of bits.slice(0, Number(length) - 1)) {
      const next: Node = (node[Number(bit)] as Node | null) ?? [null, null]
      node[Number(bit)] = next
      node = next
    }
    node[Number(bits[Number(length) - 1])] = at
    const bytes = encode(value)
    data.push(bytes)
    at += bytes.length
  }
  const nodes: Node[] = []
  const walk = (node: Node) => {
    nodes.push(node)
    for (const child of node) if (Array.isArray(child)) walk(child)
  }
  walk(root)
  const place = new Map(nodes.map((node, index) => [node, index]))
  const tree = Buffer.alloc(nodes.length * 6)
  nodes.forEach((node, index) => {
    node.forEach((child, side) => {
      const record =
        child === null
          ? nodes.length
          : typeof child === 'number'
            ? nodes.length + 16 + child
            : (place.get(child) ?? 0)
      tree.writeUIntBE(record, index * 6 + side * 3, 3)
    })
  })
  const about = {
    ...{ node_count: nodes.length, record_size: 24, ip_version: 4, database_type: 'Test-City' },
    ...{ languages: ['en'], binary_format_major_version: 2, binary_format_minor_version: 0 },
    ...{ build_epoch: 1_760_000_000, description: { en: 'places for tests' } },
  }
  return Buffer.concat([tree, Buffer.alloc(16), ...data, marker, encode(about)])
}
