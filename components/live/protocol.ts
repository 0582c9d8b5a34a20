import type { Delivered } from './types'

/** What tabs tell each other. The leader holds the stream; a tab that joins asks it for what it missed. */
export type TabMessage =
  | { type: 'event'; delivered: Delivered }
  | { type: 'join'; from: string; after: string }
  | { type: 'catch-up'; to: string; missed: Delivered[] | null }
  | { type: 'signed-out' }

/** Whether an event comes after the last one that is known. Ids are `process-number`; another process begins anew. */
export function isNewer(id: string, last: string | null): boolean {
  if (last === null) return true
  const [boot, number] = id.split('-')
  const [lastBoot, lastNumber] = last.split('-')
  return boot !== lastBoot || Number(number) > Number(lastNumber)
}

/** What came after an id, out of what is remembered; null when something between may be missing. */
export function eventsAfter(recent: readonly Delivered[], id: string): Delivered[] | null {
  const [boot, number] = id.split('-')
  const [firstBoot, firstNumber] = recent[0]?.id.split('-') ?? []
  if (boot !== firstBoot || Number(firstNumber) > Number(number) + 1) return null
  return recent.filter((delivered) => isNewer(delivered.id, id))
}
