import type { Cache } from './cache'
import type { Database } from './database'
import type { SessionInfo } from './security'
import type { Alerts } from './security/alerts'
import type { HardeningFacts } from './system/hardening'

interface Deps {
  clock: { now(): number }
  env: { HOLDFAST_URL: string; BACKUP_MAX_AGE?: number | undefined }
  database: Pick<Database, 'dialect' | 'stats' | 'topology'>
  cache: Pick<Cache, 'stats'>
  security: { factors: { state(session: SessionInfo): Promise<FactorFacts> } }
  backups: { last(): Promise<{ at: number } | null> }
  alerts: { channels: Pick<Alerts['channels'], 'list'> }
}

interface FactorFacts {
  totp: unknown
  passkeys: readonly unknown[]
}

/** What store, cache, accounts, backups and alerts tell of how hardened this console is, asked now. */
export async function hardeningFacts(deps: Deps, session: SessionInfo): Promise<HardeningFacts> {
  const { clock, env, database, cache, security, backups, alerts } = deps
  const [factors, store, last, channels] = await Promise.all([
    security.factors.state(session),
    database.stats(),
    backups.last(),
    alerts.channels.list(),
  ])
  return {
    now: clock.now(),
    factors: { app: factors.totp !== null, passkeys: factors.passkeys.length },
    store: { dialect: database.dialect, place: store.place },
    replicas: database
      .topology()
      .nodes.filter(({ role }) => role !== 'primary')
      .map(({ host, port, role, takesReads, because }) => ({
        place: `${host}:${port}`,
        because: takesReads ? null : (because ?? `it is ${role}.`),
      })),
    cache: cache.stats(),
    url: env.HOLDFAST_URL,
    backup: { lastAt: last?.at ?? null, maxAgeMs: env.BACKUP_MAX_AGE ?? null },
    channels,
  }
}
