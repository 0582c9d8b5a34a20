import type { IdempotentRequest } from '@/server/idempotency'
import answers from './openapi/answers.json'

/**
 * What an Idempotency-Key means for a procedure. `looks`: it changes nothing that matters, so it is done again.
 * `refused`: its answer signs somebody in. The others: see IdempotentRequest.
 */
export type IdempotencyKind = IdempotentRequest['answer'] | 'looks' | 'refused'

/** Every kind that does not follow from the answer; a test holds the two lists to the router. */
const kinds: Record<Exclude<IdempotencyKind, 'nothing' | 'later'>, readonly string[]> = {
  refused: [
    'auth.setUp',
    'auth.useLink',
    'auth.signIn',
    'auth.verify',
    'auth.passkeySignIn',
    'auth.refresh',
    'auth.stepUp',
  ],
  looks: [
    'auth.checkSetUpLink',
    'auth.checkLink',
    'auth.passkeyOptions',
    'auth.stepUpOptions',
    'security.rules.try',
  ],
  unit: ['security.events.report', 'security.blocks.add'],
  claimed: [
    'database.cancelSession',
    'database.terminateSession',
    'database.maintain',
    'database.test',
    'cache.expire',
    'cache.deleteKeys',
    'cache.resetSlowLog',
    'cache.deletePattern',
    'cache.clear',
    'security.alerts.testChannel',
    'security.audit.verify',
    'security.audit.prune',
    'migration.testTarget',
    'migration.testConnection',
    'migration.deleteUpload',
    'migration.plan',
    'migration.choose',
    'migration.start',
    'migration.pause',
    'migration.resume',
    'migration.validate',
    'migration.cancel',
    'migration.delete',
    'migration.cutOver',
    'migration.reopenSource',
    'migration.switchOver',
    'migration.switchBack',
  ],
}

const listed = new Map(
  Object.entries(kinds).flatMap(([kind, names]) => names.map((name) => [name, kind as IdempotencyKind])),
)

/** What a key means for a mutation. */
export function kindOf(procedure: string): IdempotencyKind {
  const told = (answers.procedures as Record<string, { answer: unknown } | undefined>)[procedure]
  return listed.get(procedure) ?? (told && told.answer === null ? 'nothing' : 'later')
}
