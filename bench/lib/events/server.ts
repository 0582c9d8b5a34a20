import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStoreAt } from '@/db/testing/opened'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { benchKey, seed } from './seed'

const DATABASE = 'events'
/** A seeding that was broken off is not gone on with. */
const COMPLETE = 'seeded'

/** For filling: nothing is written twice, and a crash loses what is made anew anyway. */
const FILLING = { wal_level: 'minimal', max_wal_senders: 0, max_wal_size: '8GB', shared_buffers: '512MB' }
/** As a server would be set up for ten million events. */
const SERVING = {
  ...{ fsync: 'on', full_page_writes: 'on', wal_level: 'replica', max_wal_size: '4GB' },
  ...{ shared_buffers: '2GB', effective_cache_size: '8GB', random_page_cost: 1.1, wal_compression: 'on' },
}

export interface Scene {
  server: PostgresServer
  url: string
  close(): Promise<void>
}

/**
 * A PostgreSQL with so many events, kept between runs below the temporary folder of the system: filled when it is
 * not there yet.
 */
export async function openScene({ events, fresh }: { events: number; fresh: boolean }): Promise<Scene> {
  const folder = join(tmpdir(), `holdfast-bench-events-${events}`)
  if (fresh || !existsSync(join(folder, COMPLETE))) {
    rmSync(folder, { recursive: true, force: true })
    await fill(folder, events)
  }
  const server = await startPostgres({ folder, settings: SERVING })
  return { server, url: urlOf(server), close: () => server.stop({ keep: true }) }
}

const urlOf = ({ url }: PostgresServer) => url.replace(/\/postgres$/, `/${DATABASE}`)

async function fill(folder: string, events: number): Promise<void> {
  console.log(`seeding ${events.toLocaleString('en')} events, once`)
  const started = performance.now()
  const server = await startPostgres({ folder, settings: FILLING })
  try {
    await server.createDatabase(DATABASE)
    const { close } = await openStoreAt(urlOf(server), benchKey, 2)
    await close()
    await seed(urlOf(server), { until: Date.now(), events })
    writeFileSync(join(folder, COMPLETE), '')
  } finally {
    await server.stop({ keep: true })
  }
  console.log(`  seeded in ${Math.round((performance.now() - started) / 1000)} s`)
}
