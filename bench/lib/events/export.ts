import { eq } from 'drizzle-orm'
import { system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import { openExports } from '@/server/security'

const WARM = 20_000

type Store = Parameters<typeof openExports>[0]['store']

/** Exports about so many of the latest events in both formats; answers the worse of each figure. */
export async function measureExports(store: Store, events: number) {
  // The memory of a console that has exported before is what grows.
  for (const format of ['ndjson', 'csv'] as const) await measureExport(store, format, WARM)
  const both = [await measureExport(store, 'ndjson', events), await measureExport(store, 'csv', events)]
  return {
    export_per_s: Math.min(...both.map(({ perSecond }) => perSecond)),
    export_mb: Math.max(...both.map(({ grewMb }) => grewMb)),
  }
}

/** Reads an export as it is sent, by a client that takes whatever comes. */
async function measureExport(store: Store, format: 'ndjson' | 'csv', events: number) {
  const { auditHead, auditEvents } = store.tables
  const [head] = await store.db.select().from(auditHead)
  const [first] = await store.db
    .select({ time: auditEvents.time })
    .from(auditEvents)
    .where(eq(auditEvents.seq, Math.max(1, (head?.seq ?? 0) - events)))
  const filter = { from: first?.time ?? 0 }
  const exports = openExports({ store, clock: systemClock })
  const utf8 = new TextEncoder()
  const before = process.memoryUsage.rss()
  const cpu = process.cpuUsage()
  let [highest, bytes, lines] = [before, 0, 0]
  const begun = performance.now()
  const { pieces } = await exports({ format, filter }, system, new AbortController().signal)
  for await (const piece of pieces) {
    const sent = utf8.encode(piece)
    bytes += sent.byteLength
    for (let at = sent.indexOf(10); at !== -1; at = sent.indexOf(10, at + 1)) lines++
    highest = Math.max(highest, process.memoryUsage.rss())
  }
  const seconds = (performance.now() - begun) / 1_000
  const used = process.cpuUsage(cpu)
  const perSecond = Math.round(lines / seconds)
  const grewMb = (highest - before) / 1_048_576
  console.log(
    `  ${format}: ${lines.toLocaleString('en')} events, ${(bytes / 1_048_576).toFixed(0)} MB in ${seconds.toFixed(1)} s,`,
    `${perSecond.toLocaleString('en')} a second, ${((used.user + used.system) / lines).toFixed(1)} µs of CPU each here;`,
    `memory grew by ${grewMb.toFixed(0)} MB`,
  )
  return { perSecond, grewMb }
}
