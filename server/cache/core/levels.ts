import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { LocalLevel } from '../local/level'
import type { RedisLevel } from '../redis/types'
import type { Totals } from './counts'
import type { Recent } from './recent'

/** What every namespace of one cache works with. */
export interface Levels {
  clock: Clock
  log: Log
  prefix: string
  local: LocalLevel
  /** Null for a cache without Redis. */
  redis: RedisLevel | null
  recent: Recent
  totals: Totals
  /** Whether copies of what Redis holds are kept at all. */
  keepsCopies: boolean
  localTtl: number
  maxValueBytes: number
  /** Whether the local level may answer without asking Redis: there is none, or every primary tells of changes. */
  localServes(): boolean
}
