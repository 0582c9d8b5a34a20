import { sqliteColumns } from '../columns'
import { defineTables } from '../tables'

export const tables = defineTables(sqliteColumns)

// drizzle-kit finds tables among a module's exports.
export const {
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
} = tables
