import { randomBytes } from 'node:crypto'
import { waitUntil } from '@/db/testing/processes'
import type { RedisServer } from '@/db/testing/servers'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import type { CacheState, CacheStateChange } from '../types'
import { openRedisLevel, type Place, type RedisLevelOptions } from '.'
import type { RedisLevel } from './types'

/** A level under test, and all that it said. */
export interface TestLevel extends RedisLevel {
  prefix: string
  changes: CacheStateChange[]
  /** Keys that others changed; null for everything. */
  told: (readonly string[] | null)[]
  lines: string[]
  reaches(state: CacheState, reason?: string | RegExp): Promise<void>
}

const opened: RedisLevel[] = []

/** Closes every level of the test. */
export async function closeLevels(): Promise<void> {
  await Promise.all(opened.splice(0).map((level) => level.close()))
}

/** Opens a level with a prefix of its own, without waiting for Redis. A patient deadline: the test machine is busy. */
export function openLevel(place: Place, options: Partial<RedisLevelOptions> = {}): TestLevel {
  const [changes, told, lines]: [CacheStateChange[], (readonly string[] | null)[], string[]] = [[], [], []]
  const prefix = options.prefix ?? `${randomBytes(6).toString('hex')}:`
  const level = openRedisLevel(
    {
      clock: systemClock,
      log: openLog('info', (line) => lines.push(line)),
      events: { stateChanged: (change) => changes.push(change), changed: (keys) => told.push(keys) },
    },
    place,
    { deadline: 400, tracking: false, ...options, prefix },
  )
  opened.push(level)
  const reaches = (state: CacheState, reason?: string | RegExp) =>
    waitUntil(`${state} ${reason ?? ''}`, async () => {
      const now = level.figures()
      if (now.state !== state) return false
      return (
        reason === undefined ||
        (typeof reason === 'string' ? now.reason === reason : reason.test(`${now.reason}`))
      )
    })
  return { ...level, prefix, changes, told, lines, reaches }
}

/** As openLevel, when Redis is used. */
export async function openReady(place: Place, options: Partial<RedisLevelOptions> = {}): Promise<TestLevel> {
  const level = openLevel(place, options)
  await level.reaches('redis')
  return level
}

export function placeOf({ host, port, password }: RedisServer): Place {
  return { redis: { host, port, password } }
}

export const text = (value: string) => Buffer.from(value)
