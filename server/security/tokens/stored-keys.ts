import { asc, desc, isNull } from 'drizzle-orm'
import { importJWK, type JWK } from 'jose'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import type { SigningKeyEntry, SigningKeys } from '../types'
import {
  isDue,
  makeDueKey,
  makeFirstKey,
  makePair,
  retireOldKeys,
  rotateKeys,
  sealContext,
} from './key-rotation'
import type { KeyCare, Keys, SigningKey, VerifyingKey } from './keys'
import { es256 } from './signatures'
import { tolerance } from './tokens'

/** What another instance has rotated or revoked counts here after this time at the latest. */
const reloadEvery = 30_000
/** An id never seen before reads the store again, but not more often than this. */
const reloadForUnknown = 5_000

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
}

interface Loaded {
  at: number
  /** The newest first. */
  rows: Row[]
  byId: Map<string, VerifyingKey>
}

type Row = Awaited<ReturnType<typeof readKeys>>[number]

function readKeys({ db, tables: { signingKeys } }: Store) {
  return db
    .select()
    .from(signingKeys)
    .where(isNull(signingKeys.retiredAt))
    .orderBy(desc(signingKeys.activeFrom), desc(signingKeys.createdAt), asc(signingKeys.id))
}

/** The one that signs at a moment: the newest that is active. A clock that is behind takes the oldest. */
const signingAt = (rows: Row[], now: number) => rows.find((row) => row.activeFrom <= now) ?? rows.at(-1)

/** Key pairs in the store, which all instances share. */
export function openStoredKeys(
  { store, vault, clock, log }: Deps,
  { accessMs }: { accessMs: number },
): Keys & SigningKeys & KeyCare {
  let loaded: Loaded | undefined
  let loading: Promise<Loaded> | undefined
  const privateKeys = new Map<string, SigningKey>()

  async function load(): Promise<Loaded> {
    const at = clock.now()
    let rows = await readKeys(store)
    if (rows.length === 0) {
      await store.run(makeFirstKey, { key: await makePair(vault), now: at })
      rows = await readKeys(store)
    }
    const byId = new Map<string, VerifyingKey>()
    for (const { id, publicJwk } of rows) {
      byId.set(id, { kid: id, algorithm: 'ES256', verify: es256(publicJwk) })
    }
    for (const id of privateKeys.keys()) if (!byId.has(id)) privateKeys.delete(id)
    loaded = { at, rows, byId }
    return loaded
  }

  /** Of any number at once one reads the store. When it cannot be read, what is known still counts. */
  function reload(): Promise<Loaded> {
    loading ??= load()
      .catch((error: unknown) => {
        if (!loaded) throw error
        log.warn({ error }, 'the signing keys could not be read again')
        return loaded
      })
      .finally(() => {
        loading = undefined
      })
    return loading
  }

  async function current(olderThan = reloadEvery): Promise<Loaded> {
    return loaded && clock.now() - loaded.at < olderThan ? loaded : reload()
  }

  return {
    async signing() {
      const row = signingAt((await current()).rows, clock.now())
      if (!row) throw new Error('There is no signing key.')
      const known = privateKeys.get(row.id)
      if (known) return known
      const jwk = JSON.parse(vault.open(row.privateSealed, sealContext(row.id))) as JWK
      const imported = (await importJWK(jwk, 'ES256')) as CryptoKey
      const key: SigningKey = { kid: row.id, algorithm: 'ES256', key: imported }
      privateKeys.set(row.id, key)
      return key
    },

    async verifying(kid) {
      const known = (await current()).byId.get(kid)
      return known ?? (await current(reloadForUnknown)).byId.get(kid) ?? null
    },

    async jwks() {
      const { rows } = await current()
      return { keys: rows.map(({ id, publicJwk }) => ({ ...publicJwk, kid: id, alg: 'ES256', use: 'sig' })) }
    },

    async list() {
      const now = clock.now()
      const { rows } = await reload()
      const signing = signingAt(rows, now)
      const stateOf = (row: Row): SigningKeyEntry['state'] => {
        if (row === signing) return 'signing'
        return row.activeFrom > now ? 'next' : 'verifying'
      }
      return rows.map((row) => ({
        ...{ id: row.id, algorithm: row.algorithm, createdAt: row.createdAt, activeFrom: row.activeFrom },
        state: stateOf(row),
      }))
    },

    async rotate({ revokeOld }, use) {
      const key = await makePair(vault)
      await store.run(rotateKeys, { key, input: { revokeOld }, ...use, now: clock.now() })
      await loading
      await reload()
    },

    async rotateIfDue(now) {
      const [newest] = (await reload()).rows
      if (!newest || !isDue(newest, now)) return
      await store.run(makeDueKey, { key: await makePair(vault), now })
      // Also where another instance was first: its key is to be known here before it signs.
      await reload()
    },

    async retire(now) {
      const settledMs = accessMs + tolerance * 1000 + reloadEvery
      if ((await reload()).rows.length < 2) return
      await store.run(retireOldKeys, { settledMs, now })
      await reload()
    },
  }
}
