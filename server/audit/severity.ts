import type { AuditOutcome, Severity } from '@/db/tables'

/** How much something can weigh, the least first. */
export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const satisfies readonly Severity[]

/** Whether a severity is at least another one. */
export const atLeast = (severity: Severity, least: Severity): boolean =>
  severities.indexOf(severity) >= severities.indexOf(least)

/** Events that weigh more than their outcome tells. */
const weights: Record<string, Severity> = {
  authn_backup_code_used: 'medium',
  authn_factor_policy_changed: 'medium',
  authn_factor_removed: 'medium',
  authn_factor_reset: 'medium',
  authn_login_lock: 'medium',
  authn_mfa_fail: 'medium',
  authn_step_up_fail: 'medium',
  authn_token_created: 'low',
  authn_token_reuse: 'high',
  privilege_permissions_changed: 'medium',
  sys_cache_state_changed: 'low',
  sys_topology_changed: 'low',
}

/** What an event weighs: by its name where that says enough, else more the less it succeeded. */
export function severityOf(event: string, outcome: AuditOutcome): Severity {
  const weight = weights[event]
  if (weight) return weight
  if (event.startsWith('malicious_')) return 'high'
  if (event.startsWith('excess_')) return 'medium'
  return outcome === 'success' ? 'info' : 'low'
}
