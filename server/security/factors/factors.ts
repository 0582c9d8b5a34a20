import type { Store } from '@/db/store'
import type { AuditWriter, Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import type { Passwords } from '../passwords/passwords'
import type { AttemptLimits } from '../sign-in/attempts'
import type { Enrolled, FactorProver, FactorState, Factors, SessionInfo, SessionWatch } from '../types'
import { makeBackupCodes } from './backup-codes'
import { type EnrolmentAction, isStale, provePassword } from './enrolment-guard'
import * as removal from './factor-removal'
import { askForFactor, proveFactor } from './factor-sign-in'
import { factorsOf, roleNeedsFactor } from './factor-state'
import { addPasskey, beginPasskey, renamePasskey } from './passkey-enrolment'
import { passkeySignInOptions, provePasskeyAlone } from './passkey-sign-in'
import { relyingParty } from './passkeys'
import { stepUp, stepUpOptions } from './step-up'
import { activateTotp, beginTotp } from './totp-enrolment'

export interface FactorsDeps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  passwords: Passwords
  /** Writes refusals that change nothing. */
  refusals: AuditWriter
  watch: Pick<SessionWatch, 'ended'>
}

export interface FactorsConfig {
  /** The console's public origin: passkeys answer to it alone. */
  url: string
  /** Name shown in authenticator apps and by passkeys. */
  issuer: string
  /** Steps of 30 s by which a code may be early or late. */
  window: number
  /** Limits of sign-ins; a factor's own counter has its window and longest block. */
  attempts: AttemptLimits
}

/** Opens second factors: authenticator apps, passkeys and backup codes. */
export function openFactors(deps: FactorsDeps, config: FactorsConfig): Factors & FactorProver {
  const { store, clock, watch } = deps
  const { issuer, window, attempts } = config
  const settings = {
    ...{ issuer, window, rp: relyingParty(config) },
    // Two challenges may be used up in a window before the app is locked, over all sign-ins and step-ups.
    limits: { ...attempts, most: 2 * attempts.most },
  }

  async function provenBy(
    session: SessionInfo,
    { password, action, by }: { password?: string; action: EnrolmentAction; by: Caller },
  ): Promise<boolean> {
    if (password === undefined) return false
    const { totp, passkeys } = await factorsOf(store, session.userId)
    // With a factor a step-up is asked for, whatever else is sent.
    if (totp || passkeys.length > 0) return false
    await provePassword(deps, session, { password, action, limits: attempts, by })
    return true
  }

  function told({ endedIds, ...enrolled }: Enrolled & { endedIds: string[] }): Enrolled {
    watch.ended(endedIds)
    return enrolled
  }

  return {
    state: (session) => stateOf(deps, session),
    async beginTotp(session, { password }, use) {
      const asked = { password, action: 'account.beginTotp', by: use.by } as const
      const passwordProven = await provenBy(session, asked)
      return beginTotp(deps, settings, { session, use, passwordProven })
    },
    activateTotp: async (session, input, by) =>
      told(await activateTotp(deps, settings, { session, ...input, by })),
    removeTotp: ({ userId }, use) => store.run(removal.removeTotp, { userId, use, now: clock.now() }),
    async beginPasskey(session, { password }, use) {
      const asked = { password, action: 'account.beginPasskey', by: use.by } as const
      const passwordProven = await provenBy(session, asked)
      return beginPasskey(deps, settings, { session, use, passwordProven })
    },
    addPasskey: async (session, input, by) =>
      told(await addPasskey(deps, settings, { session, ...input, by })),
    renamePasskey: ({ userId }, input, by) =>
      store.run(renamePasskey, { userId, ...input, by, now: clock.now() }),
    removePasskey: ({ userId }, { id }, use) =>
      store.run(removal.removePasskey, { userId, id, use, now: clock.now() }),
    async regenerateBackupCodes({ userId }, use) {
      const { shown, macs } = makeBackupCodes(deps, userId)
      await store.run(removal.regenerateBackupCodes, { userId, macs, use, now: clock.now() })
      return { backupCodes: shown }
    },
    ask: (user) => askForFactor(deps, settings, user),
    prove: (challenge, proof, by) => proveFactor(deps, settings, { challenge, proof, by }),
    passkeyOptions: async () => ({ options: await passkeySignInOptions(deps, settings) }),
    proveByPasskey: (response, by) => provePasskeyAlone(deps, settings, response, by),
    stepUpOptions: (session) => stepUpOptions(deps, settings, session),
    stepUp: (session, request, by) => stepUp(deps, settings, { session, request, by }),
  }
}

async function stateOf(deps: { store: Store; clock: Clock }, session: SessionInfo): Promise<FactorState> {
  const { userId, role } = session
  const { totp, passkeys, backupCodes } = await factorsOf(deps.store, userId)
  const some = totp !== null || passkeys.length > 0
  return {
    totp: totp && { since: totp.activatedAt ?? totp.createdAt, lastUsedAt: totp.lastUsedAt },
    passkeys: passkeys.map(({ id, name, backedUp, createdAt, lastUsedAt }) => ({
      ...{ id, name, backedUp, createdAt, lastUsedAt },
    })),
    backupCodes:
      some && backupCodes.length > 0
        ? {
            remaining: backupCodes.filter(({ usedAt }) => usedAt === null).length,
            total: backupCodes.length,
            madeAt: Math.max(...backupCodes.map(({ createdAt }) => createdAt)),
          }
        : null,
    required: await roleNeedsFactor(deps.store, role),
    passwordNeeded: !some && (await isStale(deps, session)),
  }
}
