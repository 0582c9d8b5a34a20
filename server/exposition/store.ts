import { and, count, eq, gt, isNull, or } from 'drizzle-orm'
import type { Registry } from 'prom-client'
import type { Store } from '@/db/store'
import { severities } from '@/server/audit/severity'
import type { Clock } from '@/server/clock'
import { gauge, type Reading } from './family'

/** What is known of the backups of the store. */
export interface BackupSource {
  last(): Promise<{ at: number; bytes: number } | null>
  /** Milliseconds; null where nobody is to be warned. */
  maxAgeMs: number | null
}

const deliveryStates = ['pending', 'dead']

/** What the store holds that somebody should look at. Read when asked; a store that is away leaves them out. */
export function registerStore(
  registry: Registry,
  { store, clock, backups }: { store: Store; clock: Clock; backups: BackupSource },
): void {
  const orNothing = (read: () => Promise<Reading[]>) => () => read().catch(() => [])
  gauge(registry, {
    name: 'holdfast_backup_last_success_timestamp_seconds',
    help: 'When the last backup of the store was begun that succeeded, since 1970; 0 before the first one',
    read: orNothing(async () => [{ value: ((await backups.last())?.at ?? 0) / 1000 }]),
  })
  gauge(registry, {
    name: 'holdfast_backup_last_size_bytes',
    help: 'Size of the last backup of the store',
    read: orNothing(async () => {
      const last = await backups.last()
      return last ? [{ value: last.bytes }] : []
    }),
  })
  gauge(registry, {
    name: 'holdfast_backup_max_age_seconds',
    help: 'Age of the last backup from which on it is too old (BACKUP_MAX_AGE); absent where none is',
    read: () => (backups.maxAgeMs === null ? [] : [{ value: backups.maxAgeMs / 1000 }]),
  })
  gauge(registry, {
    name: 'holdfast_security_findings_open',
    help: 'Findings that nobody has acknowledged or closed, by severity',
    labels: ['severity'],
    read: orNothing(async () => {
      const { findings } = store.tables
      const found = await store.db
        .select({ severity: findings.severity, value: count() })
        .from(findings)
        .where(and(eq(findings.state, 'open'), eq(findings.dryRun, false)))
        .groupBy(findings.severity)
      return severities.map((severity) => ({
        labels: { severity },
        value: Number(found.find((row) => row.severity === severity)?.value ?? 0),
      }))
    }),
  })
  gauge(registry, {
    name: 'holdfast_security_blocks_active',
    help: 'Networks that are blocked now',
    read: orNothing(async () => {
      const { blocks } = store.tables
      const standing = or(isNull(blocks.expiresAt), gt(blocks.expiresAt, clock.now()))
      const [row] = await store.db
        .select({ value: count() })
        .from(blocks)
        .where(and(isNull(blocks.liftedAt), standing))
      return [{ value: Number(row?.value ?? 0) }]
    }),
  })
  gauge(registry, {
    name: 'holdfast_migration_runs',
    help: 'Migration runs that the store keeps',
    read: orNothing(async () => {
      const [row] = await store.db.select({ value: count() }).from(store.tables.migrationRuns)
      return [{ value: Number(row?.value ?? 0) }]
    }),
  })
  gauge(registry, {
    name: 'holdfast_security_alert_deliveries',
    help: 'Alerts that wait to be sent, and those that could not be',
    labels: ['state'],
    read: orNothing(async () => {
      const { alertDeliveries: deliveries } = store.tables
      const found = await store.db
        .select({ state: deliveries.state, value: count() })
        .from(deliveries)
        .groupBy(deliveries.state)
      return deliveryStates.map((state) => ({
        labels: { state },
        value: Number(found.find((row) => row.state === state)?.value ?? 0),
      }))
    }),
  })
}
