import type { KeyFacts, KeyValueFacts } from '@/components/cache/key-types'
import { formatBytes, formatCount, formatDuration, formatNumber } from '@/components/ui/format'

export const typeWords: Record<KeyFacts['type'], string> = {
  string: 'String',
  hash: 'Hash',
  list: 'List',
  set: 'Set',
  zset: 'Sorted set',
  stream: 'Stream',
  other: 'Other',
}

/** Milliseconds left, or none. */
export const ttlWords = (ttl: number | null | undefined) => (ttl === null ? 'for ever' : formatDuration(ttl))

const elements: Partial<Record<KeyFacts['type'], [one: string, many: string]>> = {
  hash: ['field', 'fields'],
  list: ['item', 'items'],
  set: ['member', 'members'],
  zset: ['member', 'members'],
  stream: ['entry', 'entries'],
}

/** How much of a value is shown: `200 of 1,204 fields shown`, or the whole with its size. */
export function shownWords({
  type,
  length,
  shown,
}: Pick<KeyValueFacts, 'type' | 'length' | 'shown'>): string {
  const [one, many] = elements[type] ?? []
  if (!one || !many) {
    return shown < length
      ? `${formatBytes(shown)} of ${formatBytes(length)} shown`
      : `${formatBytes(length)}, all of it shown`
  }
  return shown < length
    ? `${formatNumber(shown)} of ${formatCount(length, one, many)} shown`
    : `${formatCount(length, one, many)}, all shown`
}

/** Seconds as they are typed, in milliseconds; undefined for what is no time above zero. */
export function secondsTyped(text: string): number | undefined {
  const seconds = Number(text.trim().replace(',', '.'))
  if (text.trim() === '' || !Number.isFinite(seconds)) return undefined
  const ms = Math.round(seconds * 1000)
  return ms >= 1 && ms <= 3_153_600_000_000 ? ms : undefined
}
