import { randomUUID } from 'node:crypto'
import { asc, eq } from 'drizzle-orm'
import { isUniqueViolation } from '@/db/errors'
import type { Store } from '@/db/store'
import { q, type Tx, unit } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Vault } from '@/server/vault'
import type { Target } from '../types'

export interface ConnectionDeps {
  store: Store
  clock: Clock
  vault: Vault
}

/** What an admin enters about a PostgreSQL server. */
export interface ConnectionInput {
  name: string
  host: string
  port: number
  database: string
  user: string
  ssl: boolean
  /** Absent on a change: the kept one stays. */
  password?: string
}

/** A named connection as it is shown: without its password. */
export interface Connection extends Omit<ConnectionInput, 'password'> {
  id: string
  createdAt: number
}

/** All named connections, by name. */
export async function listConnections({ store }: Pick<ConnectionDeps, 'store'>): Promise<Connection[]> {
  const { connections } = store.tables
  const rows = await store.db.select().from(connections).orderBy(asc(connections.name))
  return rows.map(shown)
}

/** Keeps a connection, its password sealed. Throws CONFLICT when the name is taken. */
export async function createConnection(
  { store, clock, vault }: ConnectionDeps,
  caller: Caller,
  input: ConnectionInput,
): Promise<Connection> {
  const id = randomUUID()
  const { password = '', ...rest } = input
  const row = {
    ...rest,
    id,
    passwordSealed: vault.seal(password, contextOf(id)),
    createdBy: caller.actorId,
    createdAt: clock.now(),
  }
  return named(input.name, async () => shown(await store.run(insertConnection, { row, caller })))
}

/**
 * Changes a connection; without a password the kept one stays, as long as it goes to the same server and role.
 * Throws NOT_FOUND, CONFLICT or BAD_INPUT.
 */
export async function updateConnection(
  { store, clock, vault }: ConnectionDeps,
  caller: Caller,
  id: string,
  input: ConnectionInput,
): Promise<Connection> {
  const { password, ...rest } = input
  const change =
    password === undefined ? rest : { ...rest, passwordSealed: vault.seal(password, contextOf(id)) }
  return named(input.name, async () =>
    shown(await store.run(changeConnection, { id, change, caller, now: clock.now() })),
  )
}

/** Removes a connection; runs keep the address that they wrote to. Throws NOT_FOUND. */
export async function deleteConnection(
  { store, clock }: ConnectionDeps,
  caller: Caller,
  id: string,
): Promise<void> {
  await store.run(removeConnection, { id, caller, now: clock.now() })
}

/** The target behind a connection, password included: for this process alone. Throws NOT_FOUND. */
export async function connectionTarget(
  { store, vault }: Pick<ConnectionDeps, 'store' | 'vault'>,
  id: string,
  schema: string,
): Promise<Target> {
  const { connections } = store.tables
  const [found] = await store.db.select().from(connections).where(eq(connections.id, id))
  if (!found) throw gone()
  const { host, port, database, user, ssl, passwordSealed } = found
  return { host, port, database, user, schema, ssl, password: vault.open(passwordSealed, contextOf(id)) }
}

type Row = Tx['tables']['connections']['$inferSelect']

const insertConnection = unit(
  'connection.create',
  function* (tx, { row, caller }: { row: Row; caller: Caller }) {
    const [kept] = yield* q(tx.db.insert(tx.tables.connections).values(row).returning())
    yield* appendAudit(tx, {
      ...caller,
      time: row.createdAt,
      event: 'sys_connection_created',
      target: `connection:${row.id}`,
      outcome: 'success',
      after: { ...shown(row) },
    })
    return kept as Row
  },
)

const changeConnection = unit(
  'connection.change',
  function* (tx, input: { id: string; change: Partial<Row>; caller: Caller; now: number }) {
    const { connections } = tx.tables
    const where = eq(connections.id, input.id)
    const [before] = yield* q(tx.db.select().from(connections).where(where))
    if (before && input.change.passwordSealed === undefined) refuseElsewhere(before, input.change)
    const [after] = yield* q(tx.db.update(connections).set(input.change).where(where).returning())
    if (!before || !after) throw gone()
    yield* appendAudit(tx, {
      ...input.caller,
      time: input.now,
      event: 'sys_connection_changed',
      target: `connection:${input.id}`,
      outcome: 'success',
      before: { ...shown(before) },
      after: { ...shown(after) },
    })
    return after
  },
)

const removeConnection = unit(
  'connection.delete',
  function* (tx, { id, caller, now }: { id: string; caller: Caller; now: number }) {
    const { connections } = tx.tables
    const [before] = yield* q(tx.db.delete(connections).where(eq(connections.id, id)).returning())
    if (!before) throw gone()
    yield* appendAudit(tx, {
      ...caller,
      time: now,
      event: 'sys_connection_deleted',
      target: `connection:${id}`,
      outcome: 'success',
      before: { ...shown(before) },
    })
  },
)

/** A kept password is sent only to where it was entered for: otherwise a change of address would give it away. */
export function refuseElsewhere(
  kept: Pick<Target, 'host' | 'port' | 'user'>,
  place: Partial<Pick<Target, 'host' | 'port' | 'user'>>,
): void {
  const { host = kept.host, port = kept.port, user = kept.user } = place
  if (host === kept.host && port === kept.port && user === kept.user) return
  throw new HoldfastError('BAD_INPUT', {
    message: 'The kept password belongs to another server or role.',
    remedy: 'Enter the password for this one.',
  })
}

const contextOf = (id: string) => `connection|${id}`

function shown({ id, name, host, port, database, user, ssl, createdAt }: Row): Connection {
  return { id, name, host, port, database, user, ssl, createdAt }
}

async function named<T>(name: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new HoldfastError('CONFLICT', {
      message: `There is a connection named “${name}” already.`,
      remedy: 'Choose another name, or change that one.',
    })
  }
}

function gone(): HoldfastError {
  return new HoldfastError('NOT_FOUND', {
    message: 'The connection is gone.',
    remedy: 'Choose or enter another one.',
  })
}
