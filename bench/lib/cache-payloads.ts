import { deflateSync } from 'node:zlib'

const WORDS =
  'order customer shipped pending invoice address street number total price item created updated status active region europe warehouse payment method card delivery express standard return reason comment note support agent account billing email phone contact'.split(
    ' ',
  )

interface Row {
  id: string
  name: string
  total: number
  text: string
}

/** A record with a random id and words: about 100 bytes of JSON. */
function row(random: () => number, words: number): Row {
  const word = () => WORDS[Math.floor(random() * WORDS.length)] as string
  const id = Array.from({ length: 3 }, () => Math.floor(random() * 2 ** 32).toString(16)).join('')
  return {
    id,
    name: `${word()} ${word()}`,
    total: Math.round(random() * 1e5) / 100,
    text: Array.from({ length: words }, word).join(' '),
  }
}

export interface Payload {
  size: string
  make: (random: () => number) => unknown
  /** Keys of one round. */
  keys: number
}

/** Lists of records whose JSON has about the size that they are named after. */
export const payloads: Payload[] = [
  { size: '100', keys: 20_000, make: (random) => row(random, 2) },
  { size: '2k', keys: 8_000, make: (random) => Array.from({ length: 12 }, () => row(random, 11)) },
  { size: '50k', keys: 400, make: (random) => Array.from({ length: 300 }, () => row(random, 11)) },
]

/** How much zlib at level 6 makes of values together. */
export function zlibRatio(values: readonly unknown[]): number {
  const raw = Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'))
  return raw.length / deflateSync(raw, { level: 6 }).length
}
