import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyProcedure } from '@trpc/server'
import { expect, it } from 'vitest'
import { appRouter } from './_app'

/** Every change, and the events of which it writes one at least, in the unit that makes it. */
const events: Record<string, string[]> = {
  'auth.setUp': ['user_created'],
  'auth.useLink': ['authn_password_change', 'user_created'],
  'auth.signIn': ['authn_login_success', 'authn_login_fail', 'authn_login_lock'],
  'auth.verify': ['authn_login_success', 'authn_mfa_fail'],
  'auth.passkeySignIn': ['authn_login_success', 'authn_login_fail'],
  'auth.refresh': ['session_renewed', 'authn_token_reuse'],
  'auth.signOut': ['authn_logout'],
  'auth.stepUp': ['authn_step_up_success', 'authn_step_up_fail'],
  'account.setName': ['user_updated'],
  'account.changePassword': ['authn_password_change'],
  'account.activateTotp': ['authn_factor_enrolled'],
  'account.removeTotp': ['authn_factor_removed'],
  'account.addPasskey': ['authn_factor_enrolled'],
  'account.renamePasskey': ['authn_factor_renamed'],
  'account.removePasskey': ['authn_factor_removed'],
  'account.regenerateBackupCodes': ['authn_backup_codes_made'],
  'account.endSession': ['session_ended'],
  'account.endOtherSessions': ['session_ended'],
  'database.cancelSession': ['sys_database_statement_cancelled'],
  'database.terminateSession': ['sys_database_session_terminated'],
  'database.maintain': ['sys_database_maintained'],
  'database.applyIndex': ['sys_database_index_requested'],
  'database.undoIndex': ['sys_database_index_undo_requested'],
  'database.test': ['sys_connection_tested'],
  'cache.expire': ['sys_cache_expiry_changed'],
  'cache.deleteKeys': ['sys_cache_keys_deleted'],
  'cache.resetSlowLog': ['sys_cache_slow_log_reset'],
  'cache.deletePattern': ['sys_cache_pattern_delete_began', 'sys_cache_pattern_deleted'],
  'cache.clear': ['sys_cache_clear_began', 'sys_cache_cleared'],
  'security.alerts.markSeen': ['sys_alert_seen'],
  'security.alerts.addChannel': ['sys_alert_channel_added'],
  'security.alerts.changeChannel': ['sys_alert_channel_changed'],
  'security.alerts.removeChannel': ['sys_alert_channel_removed'],
  'security.alerts.rotateSecret': ['sys_alert_channel_secret_rotated'],
  'security.alerts.testChannel': ['sys_alert_channel_tested'],
  'security.alerts.retry': ['sys_alert_retried'],
  'security.audit.verify': ['sys_audit_verified'],
  'security.audit.setRetention': ['sys_audit_retention_changed'],
  'security.audit.prune': ['sys_audit_pruned'],
  'security.audit.restored': ['sys_audit_restored'],
  'security.findings.acknowledge': ['sys_finding_acknowledged'],
  'security.findings.close': ['sys_finding_closed'],
  'security.findings.reopen': ['sys_finding_reopened'],
  'security.rules.set': ['sys_rule_changed'],
  'security.inviteUser': ['user_invited'],
  'security.renewInvite': ['user_invited'],
  'security.withdrawInvite': ['user_invitation_withdrawn'],
  'security.setRole': ['privilege_permissions_changed'],
  'security.disableUser': ['user_disabled'],
  'security.enableUser': ['user_enabled'],
  'security.requirePasswordChange': ['user_updated'],
  'security.resetPassword': ['authn_password_reset'],
  'security.resetFactor': ['authn_factor_reset'],
  'security.endSession': ['session_ended'],
  'security.endSessions': ['session_ended'],
  'security.setFactorPolicy': ['authn_factor_policy_changed'],
  'security.createApiKey': ['sensitive_create'],
  'security.revokeApiKey': ['sensitive_delete'],
  'security.rotateSigningKeys': ['sensitive_create'],
  'security.blocks.add': ['sys_block_added'],
  'security.blocks.lift': ['sys_block_lifted'],
  'security.trusted.add': ['sys_trusted_source_added'],
  'security.trusted.remove': ['sys_trusted_source_removed'],
  'migration.createConnection': ['sys_connection_created'],
  'migration.updateConnection': ['sys_connection_changed'],
  'migration.deleteConnection': ['sys_connection_deleted'],
  'migration.testTarget': ['sys_connection_tested'],
  'migration.testConnection': ['sys_connection_tested'],
  'migration.deleteUpload': ['upload_delete'],
  'migration.create': ['sys_migration_planned'],
  'migration.plan': ['sys_migration_planned'],
  'migration.choose': ['sys_migration_choices'],
  'migration.acknowledge': ['sys_migration_checks_acknowledged'],
  'migration.start': ['sys_migration_started'],
  'migration.pause': ['sys_migration_paused'],
  'migration.resume': ['sys_migration_resumed'],
  'migration.validate': ['sys_migration_validated'],
  'migration.cancel': ['sys_migration_cancelled'],
  'migration.delete': ['sys_migration_deleted'],
  'migration.acceptRejects': ['sys_migration_rejects_accepted'],
  'migration.rejectLimits': ['sys_migration_reject_limits_set'],
  'migration.cutOver': ['sys_migration_cut_over_started', 'sys_migration_cut_over'],
  'migration.reopenSource': ['sys_migration_source_reopened'],
  'migration.switchOver': ['sys_migration_switchover_started', 'sys_migration_switched_over'],
  'migration.switchBack': ['sys_migration_switch_back_started', 'sys_migration_switched_back'],
}

/** POST, for what they take must not stand in an address; they change nothing that matters. */
const without: Record<string, string> = {
  'auth.checkSetUpLink': 'reads whether a link still works',
  'auth.checkLink': 'reads whether a link still works',
  'auth.passkeyOptions': 'makes a challenge that alone proves nothing',
  'auth.stepUpOptions': 'makes a challenge that alone proves nothing',
  'account.beginTotp': 'a factor counts when it is activated; the proof before it is an event',
  'account.beginPasskey': 'a factor counts when it is added; the proof before it is an event',
  'security.events.report': 'the events themselves are what it writes',
  'security.rules.try': 'reads what a rule would find',
}

/** Names that stand as text in the code of the server, tests apart. */
function written(): Set<string> {
  const names = new Set<string>()
  for (const file of readdirSync('server', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || /\.test\.ts$|testing|vocabulary|audited|threats\/rules/.test(file)) continue
    for (const [, name = ''] of readFileSync(join('server', file), 'utf8').matchAll(/'([a-z]+_[a-z_]+)'/g))
      names.add(name)
  }
  return names
}

it('leaves no change without an event, or without a reason for none', () => {
  const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, AnyProcedure>)
  const changes = procedures.filter(([, { _def }]) => _def.type === 'mutation').map(([name]) => name)
  expect([...Object.keys(events), ...Object.keys(without)].sort()).toEqual(changes.sort())
  const names = written()
  const unwritten = Object.values(events)
    .flat()
    .filter((name) => !names.has(name))
  expect(unwritten).toEqual([])
})
