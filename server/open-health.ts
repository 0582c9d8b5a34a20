import { statfs } from 'node:fs/promises'
import type { Audit } from './audit'
import type { Database } from './database'
import type { Migration } from './migration'
import type { Outbound } from './outbound'
import type { Alerts } from './security/alerts'
import type { HealthParts } from './system'
import type { Instances } from './system/instances'

interface Deps {
  database(): Database
  audit: Audit
  alerts: Alerts
  outbound: Outbound
  migration: Pick<Migration, 'listRuns'>
  instances: Pick<Instances, 'list'>
  /** The console's data folder. */
  folder: string
}

/** What the components beside store and cache tell of themselves, asked now. */
export async function healthParts(deps: Deps): Promise<Omit<HealthParts, 'clockAhead'>> {
  const { database, audit, alerts, outbound, migration, instances, folder } = deps
  const [log, channels, runs, consoles, disk] = await Promise.all([
    audit.state(),
    alerts.channels.list(),
    migration.listRuns(),
    instances.list(),
    statfs(folder),
  ])
  const [run] = runs
  return {
    servers: database()
      .topology()
      .nodes.map(({ host, port, role, takesReads, because, roundTrip }) => ({
        ...{ place: `${host}:${port}`, role, roundTrip },
        because: takesReads ? null : because,
      })),
    disk: { folder, free: disk.bavail * disk.bsize, total: disk.blocks * disk.bsize },
    audit: { problem: log.problem, sound: log.verified?.result?.sound ?? null },
    channels: channels.map(({ name, dead }) => ({ name, dead })),
    unreachable: outbound
      .report()
      .origins.filter(({ breaker }) => breaker === 'open')
      .map(({ origin }) => origin),
    run: run
      ? { id: run.id, name: run.sourceName, state: run.state, error: run.error?.message ?? null }
      : null,
    consoles: consoles.map(({ version }) => version),
  }
}
