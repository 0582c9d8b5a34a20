import type { Columns } from './columns'

export type Role = 'viewer' | 'operator' | 'admin'
export type UserState = 'invited' | 'active' | 'disabled'
export type RefreshStatus = 'active' | 'rotated' | 'revoked'
export type AuditOutcome = 'success' | 'failure' | 'denied'
export type RunState =
  | 'planned'
  | 'running'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'failed'
  | 'completed'
  | 'switched_over'

/** Defines every table of the store once, over the column makers of one dialect. */
export function defineTables(c: Columns) {
  /** Facts about the store itself: its id, when it was made, where it moved to. */
  const meta = c.table('meta', {
    key: c.text().primaryKey(),
    value: c.text().notNull(),
  })

  const users = c.table(
    'users',
    {
      id: c.text().primaryKey(),
      email: c.text().notNull(),
      name: c.text().notNull(),
      role: c.text().$type<Role>().notNull(),
      state: c.text().$type<UserState>().notNull(),
      passwordHash: c.text(),
      passwordChangedAt: c.time(),
      createdAt: c.time().notNull(),
      updatedAt: c.time().notNull(),
      lastSignInAt: c.time(),
    },
    (t) => [c.uniqueIndex('users_email').on(t.email)],
  )

  /** Links that work once: the first admin's set-up link, invitations, password resets. */
  const oneTimeTokens = c.table(
    'one_time_tokens',
    {
      id: c.text().primaryKey(),
      kind: c.text().$type<'set-up' | 'invite' | 'reset'>().notNull(),
      hash: c.text().notNull(),
      userId: c.text().references(() => users.id, { onDelete: 'cascade' }),
      createdAt: c.time().notNull(),
      expiresAt: c.time(),
      usedAt: c.time(),
    },
    (t) => [c.uniqueIndex('one_time_tokens_hash').on(t.hash)],
  )

  const sessions = c.table(
    'sessions',
    {
      id: c.text().primaryKey(),
      userId: c
        .text()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** Methods that were used to sign in, after RFC 8176: pwd, otp, hwk … */
      methods: c.json().$type<string[]>().notNull(),
      device: c.text().notNull(),
      deviceHash: c.text().notNull(),
      address: c.text().notNull(),
      createdAt: c.time().notNull(),
      lastUsedAt: c.time().notNull(),
      idleExpiresAt: c.time().notNull(),
      expiresAt: c.time().notNull(),
      endedAt: c.time(),
      endedReason: c.text(),
    },
    (t) => [
      c.index('sessions_user').on(t.userId, t.endedAt, t.lastUsedAt),
      c.index('sessions_expiry').on(t.expiresAt),
    ],
  )

  const refreshTokens = c.table(
    'refresh_tokens',
    {
      id: c.text().primaryKey(),
      sessionId: c
        .text()
        .notNull()
        .references(() => sessions.id, { onDelete: 'cascade' }),
      /** SHA-256 of the token, base64url. */
      hash: c.text().notNull(),
      status: c.text().$type<RefreshStatus>().notNull(),
      /** Salt from which the successor is derived, so that a repeated rotation can answer the same one. */
      salt: c.text().notNull(),
      successorId: c.text(),
      createdAt: c.time().notNull(),
      rotatedAt: c.time(),
    },
    (t) => [
      c.uniqueIndex('refresh_tokens_hash').on(t.hash),
      c.index('refresh_tokens_session').on(t.sessionId),
    ],
  )

  const signingKeys = c.table('signing_keys', {
    id: c.text().primaryKey(),
    algorithm: c.text().notNull(),
    publicJwk: c.json().$type<Record<string, unknown>>().notNull(),
    /** Private JWK, sealed with the master key. */
    privateSealed: c.text().notNull(),
    createdAt: c.time().notNull(),
    retiredAt: c.time(),
  })

  /** A fresh proof of identity, bound to one session, action and input, used up by that action. */
  const stepUpGrants = c.table(
    'step_up_grants',
    {
      id: c.text().primaryKey(),
      sessionId: c
        .text()
        .notNull()
        .references(() => sessions.id, { onDelete: 'cascade' }),
      action: c.text().notNull(),
      inputHash: c.text().notNull(),
      method: c.text().notNull(),
      createdAt: c.time().notNull(),
      expiresAt: c.time().notNull(),
      usedAt: c.time(),
    },
    (t) => [c.index('step_up_grants_session').on(t.sessionId)],
  )

  /** The audit log: a hash chain (server/audit). Rows are never changed. */
  const auditEvents = c.table(
    'audit_events',
    {
      seq: c.big().primaryKey(),
      epoch: c.int().notNull(),
      time: c.time().notNull(),
      /** Name after the OWASP logging vocabulary. */
      event: c.text().notNull(),
      actorId: c.text(),
      actor: c.text().notNull(),
      target: c.text(),
      outcome: c.text().$type<AuditOutcome>().notNull(),
      reason: c.text(),
      address: c.text(),
      userAgent: c.text(),
      sessionId: c.text(),
      requestId: c.text(),
      /** JSON text exactly as hashed; secrets are cut out. */
      before: c.text(),
      after: c.text(),
      previousHash: c.text().notNull(),
      hash: c.text().notNull(),
      mac: c.text().notNull(),
      keyId: c.text().notNull(),
    },
    (t) => [
      c.uniqueIndex('audit_events_previous_hash').on(t.previousHash),
      c.index('audit_events_time').on(t.time),
      c.index('audit_events_event').on(t.event, t.time),
      c.index('audit_events_actor').on(t.actorId, t.time),
    ],
  )

  /** One row: the end of the chain. Locking it orders the writers. */
  const auditHead = c.table('audit_head', {
    id: c.int().primaryKey(),
    epoch: c.int().notNull(),
    seq: c.big().notNull(),
    hash: c.text().notNull(),
  })

  /** PostgreSQL servers that an admin has entered as migration targets. */
  const connections = c.table(
    'connections',
    {
      id: c.text().primaryKey(),
      name: c.text().notNull(),
      host: c.text().notNull(),
      port: c.int().notNull(),
      database: c.text().notNull(),
      user: c.text().notNull(),
      /** Password, sealed with the master key; never sent back. */
      passwordSealed: c.text().notNull(),
      ssl: c.bool().notNull(),
      createdBy: c.text().references(() => users.id, { onDelete: 'set null' }),
      createdAt: c.time().notNull(),
    },
    (t) => [c.uniqueIndex('connections_name').on(t.name)],
  )

  const uploads = c.table('uploads', {
    id: c.text().primaryKey(),
    name: c.text().notNull(),
    sizeBytes: c.big().notNull(),
    sha256: c.text().notNull(),
    createdBy: c.text().references(() => users.id, { onDelete: 'set null' }),
    createdAt: c.time().notNull(),
    deletedAt: c.time(),
  })

  /** One migration from plan to switchover. The exact position of the copy stands in the target itself. */
  const migrationRuns = c.table(
    'migration_runs',
    {
      id: c.text().primaryKey(),
      sourceKind: c.text().$type<'store' | 'folder' | 'upload'>().notNull(),
      /** File path of the source; for uploads the upload's id. */
      source: c.text().notNull(),
      sourceName: c.text().notNull(),
      /** The target without its password: host, port, database, user, schema, ssl. */
      target: c.json().$type<Record<string, unknown>>().notNull(),
      /** Named connection, or null where the target comes from the environment. */
      connectionId: c.text().references(() => connections.id, { onDelete: 'set null' }),
      state: c.text().$type<RunState>().notNull(),
      phase: c.text(),
      plan: c.json(),
      checks: c.json(),
      progress: c.json(),
      validation: c.json(),
      report: c.json(),
      error: c.json(),
      createdBy: c.text().references(() => users.id, { onDelete: 'set null' }),
      createdAt: c.time().notNull(),
      startedAt: c.time(),
      endedAt: c.time(),
      /** Instance that drives the run, and until when without a heartbeat. */
      leaseOwner: c.text(),
      leaseUntil: c.time(),
    },
    (t) => [c.index('migration_runs_created').on(t.createdAt)],
  )

  const migrationLog = c.table(
    'migration_log',
    {
      id: c.text().primaryKey(),
      runId: c
        .text()
        .notNull()
        .references(() => migrationRuns.id, { onDelete: 'cascade' }),
      time: c.time().notNull(),
      level: c.text().$type<'info' | 'warn' | 'error'>().notNull(),
      message: c.text().notNull(),
    },
    (t) => [c.index('migration_log_run').on(t.runId, t.time)],
  )

  return {
    meta,
    users,
    oneTimeTokens,
    sessions,
    refreshTokens,
    signingKeys,
    stepUpGrants,
    auditEvents,
    auditHead,
    connections,
    uploads,
    migrationRuns,
    migrationLog,
  }
}

export type Tables = ReturnType<typeof defineTables>
