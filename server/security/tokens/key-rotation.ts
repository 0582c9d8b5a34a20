import { randomUUID } from 'node:crypto'
import { asc, desc, inArray, isNull } from 'drizzle-orm'
import { exportJWK, generateKeyPair } from 'jose'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Vault } from '@/server/vault'
import type { Privilege } from '../types'

/** A key is published for so long before it signs: verifiers may keep the set for 5 minutes. */
export const publishedBefore = 10 * 60_000
/** A key signs for so long before the console makes the next one. */
const signsFor = 30 * 86_400_000

export const sealContext = (id: string) => `signing-key|${id}`

export interface MadeKey {
  id: string
  publicJwk: Record<string, unknown>
  privateSealed: string
}

/** An ES256 key pair, its private half sealed with the master key. */
export async function makePair(vault: Vault): Promise<MadeKey> {
  const id = randomUUID()
  const pair = await generateKeyPair('ES256', { extractable: true })
  const privateJwk = JSON.stringify(await exportJWK(pair.privateKey))
  return {
    id,
    publicJwk: { ...(await exportJWK(pair.publicKey)) },
    privateSealed: vault.seal(privateJwk, sealContext(id)),
  }
}

interface Given {
  key: MadeKey
  now: number
}

/** The first key, which signs at once. Of several instances that begin together one makes it. */
export const makeFirstKey = unit('signing-key.first', function* (tx, { key, now }: Given) {
  const rows = yield* lockKeys(tx)
  if (rows.length === 0) yield* insertKey(tx, key, { activeFrom: now, by: system, now })
})

/** The next key, unless the newest is young enough: so of several instances one makes it. */
export const makeDueKey = unit('signing-key.rotate-due', function* (tx, { key, now }: Given) {
  const [newest] = yield* lockKeys(tx)
  if (newest && isDue(newest, now)) {
    yield* insertKey(tx, key, { activeFrom: now + publishedBefore, by: system, now })
  }
})

/** Whether the newest key has signed for long enough. */
export const isDue = ({ activeFrom }: { activeFrom: number }, now: number) => activeFrom + signsFor <= now

interface RotateInput extends Given, Privilege {
  input: { revokeOld: boolean }
}

/** What an admin asks for: the next key, published first; or one that signs now while all others stop to count. */
export const rotateKeys = unit('signing-key.rotate', function* (tx, given: RotateInput) {
  const { key, input, by, grantId, now } = given
  const action = 'security.rotateSigningKeys'
  yield* useGrant(tx, { grantId, by, action, input, now })
  const rows = yield* lockKeys(tx)
  const next = rows.find((row) => row.activeFrom > now)
  if (next && !input.revokeOld) {
    throw new HoldfastError('CONFLICT', {
      message: 'The next key is published already and signs within ten minutes.',
      remedy: 'Wait for it, or revoke the old keys.',
    })
  }
  const activeFrom = input.revokeOld ? now : now + publishedBefore
  if (input.revokeOld) yield* retireKeys(tx, rows, { reason: 'revoked', by, now })
  yield* insertKey(tx, key, { activeFrom, by, now })
})

/** Retires the keys whose last token is over: a successor has signed for longer than `settledMs`. */
export const retireOldKeys = unit(
  'signing-key.retire',
  function* (tx, { settledMs, now }: { settledMs: number; now: number }) {
    const rows = yield* lockKeys(tx)
    const successor = rows.find((row) => row.activeFrom <= now - settledMs)
    const old = successor ? rows.slice(rows.indexOf(successor) + 1) : []
    yield* retireKeys(tx, old, { reason: 'rotated', by: system, now })
  },
)

interface KeyRow {
  id: string
  activeFrom: number
}

/** The keys that count, the newest first, while nobody else changes them. */
function* lockKeys(tx: Tx): Work<KeyRow[]> {
  const { meta, signingKeys } = tx.tables
  const row = { key: 'signing-keys', value: 'locked' }
  yield* q(
    tx.db
      .insert(meta)
      .values(row)
      .onConflictDoUpdate({ target: meta.key, set: { value: row.value } })
      .returning({ key: meta.key }),
  )
  return yield* q(
    tx.db
      .select({ id: signingKeys.id, activeFrom: signingKeys.activeFrom })
      .from(signingKeys)
      .where(isNull(signingKeys.retiredAt))
      .orderBy(desc(signingKeys.activeFrom), desc(signingKeys.createdAt), asc(signingKeys.id)),
  )
}

interface Made {
  activeFrom: number
  by: Caller
  now: number
}

function* insertKey(tx: Tx, key: MadeKey, { activeFrom, by, now }: Made): Work<void> {
  const { signingKeys } = tx.tables
  yield* q(tx.db.insert(signingKeys).values({ ...key, algorithm: 'ES256', createdAt: now, activeFrom }))
  yield* appendAudit(tx, {
    ...by,
    ...{ time: now, event: 'sensitive_create', outcome: 'success', target: `signing-key:${key.id}` },
    after: { activeFrom },
  })
}

interface Retired {
  reason: 'rotated' | 'revoked'
  by: Caller
  now: number
}

/** Its private half goes at once: nothing is ever signed by it again. */
function* retireKeys(tx: Tx, rows: KeyRow[], { reason, by, now }: Retired): Work<void> {
  if (rows.length === 0) return
  const { signingKeys } = tx.tables
  const ids = rows.map((row) => row.id)
  yield* q(
    tx.db.update(signingKeys).set({ retiredAt: now, privateSealed: '' }).where(inArray(signingKeys.id, ids)),
  )
  for (const id of ids) {
    yield* appendAudit(tx, {
      ...by,
      ...{ time: now, event: 'sensitive_delete', outcome: 'success', target: `signing-key:${id}`, reason },
    })
  }
}
