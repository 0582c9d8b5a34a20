import type { Driver } from '../stats'
import { inspectPostgres } from './postgres'
import { inspectSqlite } from './sqlite'
import type { Inspector } from './types'

export interface InspectorDeps {
  /** When what is counted here began, in UTC milliseconds. */
  openedAt: number
  /** Milliseconds after which an open transaction is told as a long one; a minute unless given. */
  longTransaction?: number
}

/** Looks into the database under a driver. It asks only when it is called, and needs no end of its own. */
export function openInspector(deps: InspectorDeps, driver: Driver): Inspector {
  return driver.dialect === 'sqlite' ? inspectSqlite(driver, deps) : inspectPostgres(driver.pool, deps)
}
