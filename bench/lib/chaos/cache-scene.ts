import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Cache, type CacheStateChange, openCache } from '@/server/cache'
import { systemClock } from '@/server/clock'
import type { Log } from '@/server/log'
import { type CacheLoad, startCacheLoad } from './cache-load'
import { type CachePlace, clusterPlace, singlePlace } from './cache-places'

/** Two caches at one place and the load on them, which all rounds there use. */
export interface Scene {
  place: CachePlace
  load: CacheLoad
  /** Changes of state of both caches since the last call. */
  changes(): CacheStateChange[]
  /** Ends one cache and opens it anew with its journal, as a restart of its console does. */
  restartCache(at: number): Promise<void>
  /** Milliseconds until both use Redis, and go on doing so; undefined when they don't within `limit`. */
  recovered(limit: number): Promise<number | undefined>
  /** What either cache, or one that is opened now, answers that is older than it may be. */
  check(): Promise<string[]>
  close(): Promise<void>
}

/** How long both must use Redis on end, in milliseconds: a state that flaps is no recovery. */
const STEADY = 300
const NAMES = ['the first', 'the second']

/** Starts the servers of a place, two caches and their load. */
export async function openScene(
  { log, random }: { log: Log; random(): number },
  { name, perSecond }: { name: CachePlace['name']; perSecond: number },
): Promise<Scene> {
  const place = await (name === 'cluster' ? clusterPlace() : singlePlace())
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'))
  let changes: CacheStateChange[] = []
  const stateChanged = (change: CacheStateChange) => void changes.push(change)
  const openAt = (at: number) =>
    openCache(
      { clock: systemClock, log, stateChanged },
      { ...place.config, journalFile: join(folder, `${at}.journal`) },
    )
  const caches = [openAt(0), openAt(1)]
  const spaceOf = (cache: Cache) => cache.space('chaos')
  const load = startCacheLoad(random, { spaces: caches.map(spaceOf), perSecond })
  const uses = (cache: Cache) => cache.redis?.state === 'redis'

  async function recovered(limit: number, which = caches): Promise<number | undefined> {
    const begun = performance.now()
    let since: number | undefined
    for (;;) {
      const now = performance.now()
      since = which.every(uses) ? (since ?? now) : undefined
      if (since !== undefined && now - since >= STEADY) return since - begun
      if (since === undefined && now - begun > limit) return undefined
      await pause(10)
    }
  }

  return {
    ...{ place, load, recovered: (limit) => recovered(limit) },
    changes() {
      const told = changes
      changes = []
      return told
    },
    async restartCache(at) {
      await load.detach(at)
      await caches[at]?.close()
      const cache = openAt(at)
      caches[at] = cache
      load.attach(at, spaceOf(cache))
    },
    async check() {
      // It has no copies: it tells what Redis itself holds.
      const fresh = openCache({ clock: systemClock, log }, { ...place.config, local: false })
      try {
        await recovered(5_000, [fresh])
        const found = await Promise.all([
          ...caches.map((cache, at) => load.check(`${NAMES[at]} cache`, spaceOf(cache))),
          load.check('a new cache', spaceOf(fresh)),
        ])
        return found.flat()
      } finally {
        await fresh.close()
      }
    },
    async close() {
      await load.stop()
      await Promise.all(caches.map((cache) => cache.close()))
      await place.stop()
      rmSync(folder, { recursive: true })
    },
  }
}
