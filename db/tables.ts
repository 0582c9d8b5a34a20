import type { Columns } from './columns'

export type Role = 'viewer' | 'operator' | 'admin'
export type UserState = 'invited' | 'active' | 'disabled'
export type RefreshStatus = 'active' | 'rotated' | 'revoked'
export type AuditOutcome = 'success' | 'failure' | 'denied'
/** How much an event or a finding matters. */
export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical'
export type FindingState = 'open' | 'acknowledged' | 'closed'
export type DeliveryState = 'pending' | 'delivered' | 'dead'
export type IndexChangeState = 'running' | 'applied' | 'failed' | 'undoing' | 'undone'
export type RunPurpose = 'migrate' | 'compare'
export type RunState =
  | 'planned'
  | 'running'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'failed'
  | 'completed'
  | 'switched_over'
  | 'switched_back'

/** Milliseconds a call and calls, over one stretch of time. */
export interface MeasuredTime {
  calls: number
  meanMs: number
  from: number
  to: number
}

/** Counters of statements: what they last showed, and what was added since counting began. Milliseconds. */
export interface Counted {
  last: { calls: number; totalMs: number }
  since: { calls: number; totalMs: number }
}

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
      /** An admin asked for a new password: nothing else works until it is given. */
      mustChangePassword: c.bool().notNull().default(false),
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
      /** Counts step-ups: each makes access tokens that were signed before it worthless. */
      generation: c.int().notNull().default(1),
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
      /** A threat rule doubts this session: until a fresh factor is proved it reaches nothing but its own account. */
      doubtedAt: c.time(),
    },
    (t) => [
      c.index('sessions_user').on(t.userId, t.endedAt, t.lastUsedAt),
      c.index('sessions_expiry').on(t.expiresAt),
      c.index('sessions_ended').on(t.endedAt),
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
    /** It is published before, so that every verifier knows it when it begins to sign. */
    activeFrom: c.time().notNull().default(0),
    retiredAt: c.time(),
  })

  /** A fresh proof of identity, bound to one session, action and input, used up by that action. */
  const stepUpGrants = c.table(
    'step_up_grants',
    {
      id: c.text().primaryKey(),
      /** The session, or the API key, that may use it. */
      sessionId: c.text().notNull(),
      action: c.text().notNull(),
      inputHash: c.text().notNull(),
      method: c.text().notNull(),
      createdAt: c.time().notNull(),
      expiresAt: c.time().notNull(),
      usedAt: c.time(),
    },
    (t) => [c.index('step_up_grants_session').on(t.sessionId)],
  )

  /** Authenticator apps (TOTP, RFC 6238). One that was never activated proves nothing. */
  const totpFactors = c.table(
    'totp_factors',
    {
      id: c.text().primaryKey(),
      userId: c
        .text()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** The secret, sealed with the master key for this user and factor. */
      secretSealed: c.text().notNull(),
      /** The last time step whose code was used: codes of it and of older steps never work again. */
      lastStep: c.big().notNull().default(0),
      createdAt: c.time().notNull(),
      activatedAt: c.time(),
      lastUsedAt: c.time(),
    },
    (t) => [c.index('totp_factors_user').on(t.userId)],
  )

  /** Passkeys (WebAuthn credentials). */
  const passkeys = c.table(
    'passkeys',
    {
      id: c.text().primaryKey(),
      userId: c
        .text()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      name: c.text().notNull(),
      /** As the authenticator names it, base64url. */
      credentialId: c.text().notNull(),
      /** COSE public key, base64url. */
      publicKey: c.text().notNull(),
      counter: c.big().notNull(),
      transports: c.json().$type<string[]>().notNull(),
      /** Whether it is kept by a service that carries it to other devices. */
      backedUp: c.bool().notNull(),
      createdAt: c.time().notNull(),
      lastUsedAt: c.time(),
    },
    (t) => [c.uniqueIndex('passkeys_credential').on(t.credentialId), c.index('passkeys_user').on(t.userId)],
  )

  const backupCodes = c.table(
    'backup_codes',
    {
      id: c.text().primaryKey(),
      userId: c
        .text()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** HMAC of the code, base64url. */
      mac: c.text().notNull(),
      createdAt: c.time().notNull(),
      usedAt: c.time(),
    },
    (t) => [c.uniqueIndex('backup_codes_mac').on(t.userId, t.mac)],
  )

  /** A proof that was begun: a sign-in that waits for its second factor, a passkey ceremony. */
  const challenges = c.table(
    'challenges',
    {
      /** SHA-256 of the challenge's token, base64url. */
      id: c.text().primaryKey(),
      kind: c
        .text()
        .$type<'sign-in' | 'passkey-sign-in' | 'passkey-step-up' | 'passkey-enrolment' | 'early-code'>()
        .notNull(),
      userId: c.text().references(() => users.id, { onDelete: 'cascade' }),
      /** The session that asked, where there is one. */
      sessionId: c.text(),
      /** What the proof is checked against, such as the password hash that was right. */
      data: c.json().$type<Record<string, string>>().notNull(),
      attempts: c.int().notNull().default(0),
      createdAt: c.time().notNull(),
      expiresAt: c.time().notNull(),
      usedAt: c.time(),
    },
    (t) => [c.index('challenges_expiry').on(t.expiresAt)],
  )

  /** Failed attempts by account, by account and address, and by factor, with the block that follows. */
  const attemptCounters = c.table(
    'attempt_counters',
    {
      key: c.text().primaryKey(),
      attempts: c.int().notNull(),
      windowStart: c.time().notNull(),
      /** How many blocks followed each other: each is longer than the one before. */
      level: c.int().notNull(),
      blockedUntil: c.time(),
      updatedAt: c.time().notNull(),
    },
    (t) => [c.index('attempt_counters_updated').on(t.updatedAt)],
  )

  const apiKeys = c.table(
    'api_keys',
    {
      id: c.text().primaryKey(),
      name: c.text().notNull(),
      /** In whose name it acts, with this user's rights at most. */
      userId: c
        .text()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** SHA-256 of the key, base64url. */
      hash: c.text().notNull(),
      /** Its first characters, by which a reader knows it again. */
      prefix: c.text().notNull(),
      permissions: c.json().$type<string[]>().notNull(),
      /** The one action that it may do without a step-up of its own. */
      action: c.text(),
      createdAt: c.time().notNull(),
      expiresAt: c.time().notNull(),
      lastUsedAt: c.time(),
      lastAddress: c.text(),
      revokedAt: c.time(),
    },
    (t) => [c.uniqueIndex('api_keys_hash').on(t.hash), c.index('api_keys_user').on(t.userId)],
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
      /** Null in rows of before release 0.6.0, whose canonical form has neither of the two (server/audit/chain.ts). */
      severity: c.text().$type<Severity>(),
      /** The application that reported it; null for the console's own. */
      source: c.text(),
    },
    (t) => [
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
      /** What an admin chose other than the proposed plan (server/migration/types.ts, Choices). */
      choices: c.json(),
      /** 'migrate' fills the target; 'compare' only validates one that something else has filled. */
      purpose: c.text().$type<RunPurpose>().notNull().default('migrate'),
      /** Writes to the source are noted while the copy goes on, and applied (server/migration/capture). */
      capture: c.bool().notNull().default(false),
      /** Who accepted the rejected rows, when, and how many there were. */
      accepted: c.json(),
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

  /** What the console measured of itself, a row for each instance and step of a minute or ten (server/system). */
  const metricRollups = c.table(
    'metric_rollups',
    {
      /** instance:step:at, so that writing one again changes nothing. */
      id: c.text().primaryKey(),
      /** The process that measured. */
      instance: c.text().notNull(),
      /** Milliseconds. */
      step: c.int().notNull(),
      /** Begin of the step. */
      at: c.time().notNull(),
      /** Samples taken in it, the first of them and the last. */
      samples: c.int().notNull(),
      firstAt: c.time().notNull(),
      lastAt: c.time().notNull(),
      /** Key in `meta` of the metrics' names, in the order of `values`. */
      names: c.text().notNull(),
      /** JSON text: [means, highest, counts], null where nothing was measured. */
      values: c.text().notNull(),
      /** JSON text: statements by the time they took (server/system/query-times.ts). Null in rows of before release 0.8.0. */
      queryTimes: c.text(),
    },
    (t) => [c.index('metric_rollups_at').on(t.step, t.at)],
  )

  /** Calls and time of single statements by the hour (server/database/history). */
  const statementRollups = c.table(
    'statement_rollups',
    {
      /** fingerprint:at:writer */
      id: c.text().primaryKey(),
      fingerprint: c.text().notNull(),
      /** Begin of the hour. */
      at: c.time().notNull(),
      /** `server` for counters of the server itself, else the instance that sent the statements. */
      writer: c.text().notNull(),
      calls: c.big().notNull(),
      /** Microseconds. */
      total: c.big().notNull(),
      /** Microseconds; null in an hour in which the longest call so far was not outdone. */
      longest: c.big(),
      rows: c.big(),
    },
    (t) => [
      c.index('statement_rollups_at').on(t.at),
      c.index('statement_rollups_statement').on(t.fingerprint, t.at),
    ],
  )

  /** Who alone does something for all instances, and until when without renewal. */
  const leases = c.table('leases', {
    name: c.text().primaryKey(),
    owner: c.text().notNull(),
    until: c.time().notNull(),
  })

  /** Consoles that serve this store: each renews its row; one that is late is gone (server/system/instances.ts). */
  const instances = c.table('instances', {
    id: c.text().primaryKey(),
    /** host:pid, for people. */
    name: c.text().notNull(),
    version: c.text().notNull(),
    startedAt: c.time().notNull(),
    seenAt: c.time().notNull(),
  })

  /** Indexes that were made or dropped from the console (server/database/changes). */
  const indexChanges = c.table(
    'index_changes',
    {
      id: c.text().primaryKey(),
      /** Of the advice that it follows. */
      key: c.text().notNull(),
      kind: c.text().$type<'create' | 'drop'>().notNull(),
      /** Where it was made: an index does not move with the store to another database. */
      dialect: c.text().$type<'sqlite' | 'postgresql'>().notNull(),
      /** As it stands in SQL, with its schema where that is known. */
      table: c.text().notNull(),
      index: c.text().notNull(),
      ddl: c.text().notNull(),
      undo: c.text().notNull(),
      state: c.text().$type<IndexChangeState>().notNull(),
      /** 1 while the server works on it, else null: unique, so that there is one at a time. */
      busy: c.int(),
      /** Who works on it, and until when without a sign of life. */
      leaseOwner: c.text(),
      leaseUntil: c.time(),
      actor: c.text().notNull(),
      requestedAt: c.time().notNull(),
      finishedAt: c.time(),
      undoneAt: c.time(),
      error: c.text(),
      expected: c.json().$type<{ costBefore: number; costAfter: number }>(),
      fingerprints: c.json().$type<string[]>().notNull(),
      before: c.json().$type<MeasuredTime>(),
      after: c.json().$type<MeasuredTime>(),
      /** By writer: the last reading of the counters of its statements, and what was counted since the change. */
      counted: c.json().$type<Record<string, Counted>>(),
    },
    (t) => [
      c.uniqueIndex('index_changes_busy').on(t.busy),
      c.index('index_changes_requested').on(t.requestedAt),
    ],
  )

  /** Events by the hour, by the day and by kind, so that a histogram over years reads no events (server/security/events). */
  const eventCounts = c.table(
    'event_counts',
    {
      /** JSON text: [step, at, event, outcome, severity, source]. */
      id: c.text().primaryKey(),
      /** Milliseconds: an hour or a day. */
      step: c.int().notNull().default(3_600_000),
      /** Begin of the step. */
      at: c.time().notNull(),
      event: c.text().notNull(),
      outcome: c.text().$type<AuditOutcome>().notNull(),
      severity: c.text().$type<Severity>().notNull(),
      source: c.text(),
      events: c.big().notNull(),
    },
    (t) => [c.index('event_counts_at').on(t.step, t.at)],
  )

  /** Events in columns, 8,192 numbers a row, so that a search reads no whole rows (server/security/events/chunks). */
  const eventChunks = c.table('event_chunks', {
    /** Holds the events from `id` × 8,192 + 1 on. */
    id: c.int().primaryKey(),
    events: c.int().notNull(),
    /** The lowest and the highest time in it: clocks differ, so that they don't follow each other strictly. */
    minTime: c.time().notNull(),
    maxTime: c.time().notNull(),
    /** A Bloom filter of the values that are looked for whole, base64. */
    values: c.text().notNull(),
    /** The columns, deflated, base64. */
    data: c.text().notNull(),
  })

  /** Banned networks. A row is never deleted while its history counts for the next, longer one. */
  const blocks = c.table(
    'blocks',
    {
      id: c.text().primaryKey(),
      /** An IPv4 address, an IPv6 /64, or a network in CIDR form, as server/security/limits/network.ts writes it. */
      network: c.text().notNull(),
      origin: c.text().$type<'limits' | 'rule' | 'person'>().notNull(),
      reason: c.text().notNull(),
      /** How many automatic blocks came before: 15 min, 1 h, 24 h. */
      level: c.int().notNull(),
      createdAt: c.time().notNull(),
      /** Null: until somebody lifts it. */
      expiresAt: c.time(),
      createdBy: c.text().notNull(),
      liftedAt: c.time(),
      liftedBy: c.text(),
      /** The finding that asked for it. */
      findingId: c.text(),
    },
    (t) => [
      c.index('blocks_network').on(t.network, t.createdAt),
      c.index('blocks_expiry').on(t.liftedAt, t.expiresAt),
    ],
  )

  /** Networks that skip the limits and blocks of addresses. */
  const trustedSources = c.table(
    'trusted_sources',
    {
      id: c.text().primaryKey(),
      network: c.text().notNull(),
      /** Who answers for it. */
      owner: c.text().notNull(),
      reason: c.text().notNull(),
      createdAt: c.time().notNull(),
      createdBy: c.text().notNull(),
      expiresAt: c.time(),
    },
    (t) => [c.uniqueIndex('trusted_sources_network').on(t.network)],
  )

  /** What an admin changed about a threat rule; a rule without a row has its defaults. */
  const ruleSettings = c.table('rule_settings', {
    rule: c.text().primaryKey(),
    enabled: c.bool().notNull(),
    /** It finds, and does nothing more. */
    dryRun: c.bool().notNull(),
    params: c.json().$type<Record<string, number | string | boolean>>().notNull(),
    updatedAt: c.time().notNull(),
    updatedBy: c.text().notNull(),
  })

  /** What threat rules report (server/security/threats). */
  const findings = c.table(
    'findings',
    {
      id: c.text().primaryKey(),
      rule: c.text().notNull(),
      /** What the rule groups by: `address:…`, `user:…`, `session:…`. */
      subject: c.text().notNull(),
      /** rule|subject while it can still grow, else null: unique, so that two instances report one. */
      growing: c.text(),
      severity: c.text().$type<Severity>().notNull(),
      state: c.text().$type<FindingState>().notNull(),
      dryRun: c.bool().notNull(),
      /** In words, with its figures. */
      summary: c.text().notNull(),
      /** Events that count for it, and the first and last of them. */
      count: c.big().notNull(),
      firstAt: c.time().notNull(),
      lastAt: c.time().notNull(),
      /** Seqs of audit events, the first and the latest of them; bounded. */
      evidence: c.json().$type<number[]>().notNull(),
      /** What was done: notify, require a factor, end sessions, block. */
      responses: c.json().$type<{ kind: string; target: string | null; at: number }[]>().notNull(),
      createdAt: c.time().notNull(),
      updatedAt: c.time().notNull(),
      acknowledgedAt: c.time(),
      acknowledgedBy: c.text(),
      closedAt: c.time(),
      closedBy: c.text(),
      note: c.text(),
    },
    (t) => [
      c.uniqueIndex('findings_growing').on(t.growing),
      c.index('findings_created').on(t.createdAt),
      c.index('findings_state').on(t.state, t.lastAt),
    ],
  )

  /** Where alerts go, beside the console itself. */
  const alertChannels = c.table(
    'alert_channels',
    {
      id: c.text().primaryKey(),
      kind: c.text().$type<'webhook' | 'email'>().notNull(),
      name: c.text().notNull(),
      /** Everything but secrets. */
      config: c.json().$type<Record<string, unknown>>().notNull(),
      /** Signing key or password, sealed with the master key; never sent back. */
      secretSealed: c.text(),
      /** What is less severe is not sent. */
      leastSeverity: c.text().$type<Severity>().notNull(),
      enabled: c.bool().notNull(),
      /** Why the console itself switched it off. */
      disabledReason: c.text(),
      /** When a test arrived of the channel as it is; null when the last one did not. */
      testedAt: c.time(),
      createdAt: c.time().notNull(),
      createdBy: c.text().notNull(),
      updatedAt: c.time().notNull(),
    },
    (t) => [c.uniqueIndex('alert_channels_name').on(t.name)],
  )

  /** What is sent about findings (server/security/alerts). */
  const alerts = c.table(
    'alerts',
    {
      id: c.text().primaryKey(),
      /** Unique, so that several instances raise one. */
      key: c.text().notNull(),
      findingId: c.text(),
      severity: c.text().$type<Severity>().notNull(),
      title: c.text().notNull(),
      body: c.text().notNull(),
      createdAt: c.time().notNull(),
      /** Who put it away in the console. */
      seenAt: c.time(),
      seenBy: c.text(),
    },
    (t) => [
      c.uniqueIndex('alerts_key').on(t.key),
      c.index('alerts_created').on(t.createdAt),
      c.index('alerts_seen').on(t.seenAt),
    ],
  )

  /** One alert to one channel. */
  const alertDeliveries = c.table(
    'alert_deliveries',
    {
      id: c.text().primaryKey(),
      alertId: c
        .text()
        .notNull()
        .references(() => alerts.id, { onDelete: 'cascade' }),
      channelId: c
        .text()
        .notNull()
        .references(() => alertChannels.id, { onDelete: 'cascade' }),
      state: c.text().$type<DeliveryState>().notNull(),
      attempts: c.int().notNull(),
      /** When it is tried next; when it was given up, for a dead one. */
      nextAt: c.time().notNull(),
      error: c.text(),
      /** The message that it goes in, given at the first try: a digest carries several. */
      messageId: c.text(),
      /** What the receiver said, and after how many milliseconds. */
      answer: c.text(),
      tookMs: c.int(),
      createdAt: c.time().notNull(),
      deliveredAt: c.time(),
      /** Who sends it now, and until when without a sign of life. */
      leaseOwner: c.text(),
      leaseUntil: c.time(),
    },
    (t) => [
      c.uniqueIndex('alert_deliveries_once').on(t.alertId, t.channelId),
      c.index('alert_deliveries_due').on(t.state, t.nextAt),
      c.index('alert_deliveries_sent').on(t.channelId, t.deliveredAt),
    ],
  )

  /** Answers of changes that a client may send twice, so that the second changes nothing. */
  const idempotencyKeys = c.table(
    'idempotency_keys',
    {
      /** SHA-256 of who, procedure and key, base64url. */
      id: c.text().primaryKey(),
      inputHash: c.text().notNull(),
      result: c.json(),
      createdAt: c.time().notNull(),
      expiresAt: c.time().notNull(),
    },
    (t) => [c.index('idempotency_keys_expiry').on(t.expiresAt)],
  )

  return {
    meta,
    users,
    oneTimeTokens,
    sessions,
    refreshTokens,
    signingKeys,
    stepUpGrants,
    totpFactors,
    passkeys,
    backupCodes,
    challenges,
    attemptCounters,
    apiKeys,
    auditEvents,
    auditHead,
    connections,
    uploads,
    migrationRuns,
    migrationLog,
    metricRollups,
    statementRollups,
    leases,
    instances,
    indexChanges,
    eventCounts,
    eventChunks,
    blocks,
    trustedSources,
    ruleSettings,
    findings,
    alertChannels,
    alerts,
    alertDeliveries,
    idempotencyKeys,
  }
}

export type Tables = ReturnType<typeof defineTables>
