import { parseArgs } from 'node:util'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { openStoreAt } from '@/db/testing/opened'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openEvents } from '@/server/security'
import { measureExports } from './lib/events/export'
import { measureIngest } from './lib/events/ingest'
import { measureRules } from './lib/events/rules'
import { measureHistograms, measureLists } from './lib/events/search'
import { benchKey, makeLines } from './lib/events/seed'
import { openScene } from './lib/events/server'
import { sampleOf } from './lib/events/world'
import { benchLine } from './lib/measure'

type Store = Parameters<typeof openEvents>[0]['store']

/**
 * Ten million events in PostgreSQL: how quickly they are found, counted, exported and added to. The events are made
 * once and kept between runs. Each part has a module of its own in ./lib/events.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '10000000' },
      fresh: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(
      `Usage: npm run bench -- events [--events 10000000] [--fresh] [--only ${Object.keys(parts).join('|')}]`,
    )
    return
  }
  const scene = await openScene({ events: Number(values.events), fresh: values.fresh })
  const { store, close } = await openStoreAt(scene.url, benchKey, 8)
  try {
    const figures = await measure(store, values.only)
    console.log(benchLine('events', figures))
  } finally {
    await close()
    await scene.close()
  }
}

/** The parts, in their order: what they print first, and the figures that each gives. */
const parts = {
  lists: {
    title: 'first pages of 50',
    run: async ({ events, now }) => ({ p95_ms: await measureLists(events, now) }),
  },
  histograms: {
    title: 'histograms of 120 buckets',
    run: async ({ events, now }) => ({ histogram_ms: await measureHistograms(events, now) }),
  },
  exports: {
    title: 'exports of about a million events',
    run: ({ store }) => measureExports(store, 1_000_000),
  },
  rules: {
    title: 'rules over the latest 100,000 events',
    run: async ({ store, last }) => ({ rule_us: await measureRules(store, last, 100_000) }),
  },
  ingest: {
    title: 'ingest by 4 writers, in batches of 500',
    run: async ({ store }) => ({ ingest_per_s: await measureIngest(store, benchKey, sampleOf(20_000)) }),
  },
} satisfies Record<string, { title: string; run(ready: Ready): Promise<Record<string, number>> }>

interface Ready {
  store: Store
  events: ReturnType<typeof openEvents>
  /** Just after the latest event, and its seq. */
  now: number
  last: number
}

async function measure(store: Store, only: string[]): Promise<Record<string, number>> {
  const events = openEvents({ store, clock: systemClock, log: openLog('warn') })
  const begun = performance.now()
  const cpu = process.cpuUsage()
  await events.roll()
  const { user, system } = process.cpuUsage(cpu)
  const took = performance.now() - begun
  console.log(
    `rolled up in ${(took / 1_000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU here`,
  )
  const { events: latest } = await events.list({ limit: 1 })
  const ready = { store, events, now: (latest[0]?.time ?? 0) + 1, last: latest[0]?.seq ?? 0 }
  const figures: Record<string, number> = {}
  for (const [name, { title, run }] of Object.entries(parts)) {
    if (only.length > 0 && !only.includes(name)) continue
    console.log(title)
    Object.assign(figures, await run(ready))
  }
  return figures
}

if (!isMainThread && parentPort) await makeLines(workerData, parentPort)
else await main()
