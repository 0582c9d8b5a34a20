import { setTimeout as pause } from 'node:timers/promises'
import type { Consoles } from '@/e2e/consoles'
import type { ConsoleLoad } from './console-load'

const isBlock = (marker: string) => marker.includes('.')

/** Acknowledged writes that are not in the store; the first of them are told. */
export async function lostIn(
  { query }: Pick<Consoles, 'query'>,
  { acknowledged }: Pick<ConsoleLoad, 'acknowledged'>,
): Promise<number> {
  const events = await query<{ name: string }>(
    `SELECT DISTINCT actor AS name FROM audit_events WHERE source = 'shop'`,
  )
  const blocks = await query<{ name: string }>(`SELECT network AS name FROM blocks`)
  const there = new Set([...events, ...blocks].map(({ name }) => name))
  const lost = [...acknowledged].filter(
    (marker) => !there.has(marker) && !(isBlock(marker) && there.has(`${marker}/32`)),
  )
  for (const marker of lost.slice(0, 5)) console.log(`  lost: ${marker}`)
  return lost.length
}

/** Resolves when a console is ready. Throws when it is not within a minute. */
export async function untilReady({ at }: Pick<Consoles, 'at'>, index: number): Promise<void> {
  const { url } = at(index)
  for (const until = performance.now() + 60_000; performance.now() < until; ) {
    const response = await fetch(`${url}/api/health/ready`).catch(() => null)
    if (response?.ok) return
    await pause(100)
  }
  throw new Error(`Console ${index} is not ready.`)
}
