import { getTableName } from 'drizzle-orm'
import { pruneFunction } from './audit-guard'
import { databaseCode } from './errors'
import { bookkeeping, type MigrateOptions, migratePostgres } from './migrate'
import type { PgHandle } from './open'
import { tables } from './schema/pg'

/*
 * A store on PostgreSQL with two roles: the owner changes the schema, and the console's own role has no more than it
 * needs. What is in the audit log then stays there, whatever the console is made to do.
 */

/** Raised when the tables of a store belong to somebody from whom the owner can't take them. */
export class StoreOwnerError extends Error {
  override name = 'StoreOwnerError'
}

type Ask = (sql: string, params?: unknown[]) => Promise<{ rows: unknown[] }>

export interface Roles {
  owner: string
  /** The role that the console runs as. */
  user: string
}

const BOOKS = `${bookkeeping.schema}.${bookkeeping.table}`

const all = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
const less: Record<string, string[]> = {
  audit_events: ['SELECT', 'INSERT'],
  audit_head: ['SELECT', 'INSERT', 'UPDATE'],
}
/** What the console's role may do with each table. */
const rights = new Map([
  ...Object.values(tables).map((table): [string, string[]] => {
    const name = getTableName(table)
    return [`public.${name}`, less[name] ?? all]
  }),
  [BOOKS, ['SELECT']],
])
const asked = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']

/**
 * Brings a store to this release's schema as its owner: takes over what belongs to the console's role, upgrades, and
 * leaves that role its rights. `pool` is the owner's. Throws {@link StoreOwnerError} with what to do.
 */
export async function migrateAsOwner(pool: PgHandle, folder: string, roles: Roles): Promise<void> {
  const options: MigrateOptions = {
    before: (ask) => takeOver(ask, roles),
    after: (ask) => grantRights(ask, roles),
  }
  await migratePostgres(pool, folder, options).catch((error: unknown) => {
    throw explained(error, `DB_OWNER_USER ${roles.owner} may not change the schema of the store`, roles)
  })
}

async function takeOver(ask: Ask, { owner, user }: Roles): Promise<void> {
  const { rows } = await ask(
    `SELECT format('TABLE %I.%I', nspname, relname) AS what, pg_get_userbyid(c.relowner) AS owner
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE nspname || '.' || relname = ANY ($1)
     UNION ALL
     SELECT 'SCHEMA ' || quote_ident(nspname), pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = $2
     UNION ALL
     SELECT 'FUNCTION ' || p.oid::regprocedure, pg_get_userbyid(proowner)
     FROM pg_proc p
     WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'holdfast\\_%'`,
    [[...rights.keys()], bookkeeping.schema],
  )
  const others = (rows as { what: string; owner: string }[]).filter((row) => row.owner !== owner)
  if (others.length === 0) return
  await ask('BEGIN')
  try {
    for (const { what } of others) await ask(`ALTER ${what} OWNER TO ${quoted(owner)}`)
    await ask('COMMIT')
  } catch (cause) {
    await ask('ROLLBACK')
    const holders = [...new Set(others.map((row) => row.owner))].join(', ')
    throw explained(
      cause,
      `The store’s tables belong to ${holders}, and DB_OWNER_USER ${owner} may not take them over`,
      {
        owner,
        user,
      },
    )
  }
}

/** What to do where the owner lacks a right; any other error as it is. */
function explained(cause: unknown, what: string, { owner, user }: Roles): unknown {
  if (cause instanceof StoreOwnerError || databaseCode(cause) !== '42501') return cause
  return new StoreOwnerError(
    `${what}: run ALTER DATABASE … OWNER TO ${quoted(owner)}; GRANT ${quoted(user)} TO ${quoted(owner)}; as a superuser, then start again.`,
    { cause },
  )
}

/** Gives the console's role what it lacks and takes what it has too much, where anything differs. */
async function grantRights(ask: Ask, { user }: Roles): Promise<void> {
  const { rows } = await ask(
    `SELECT named.name, asked.right, has_table_privilege($3, named.name, asked.right) AS has
     FROM unnest($1::text[]) AS named (name), unnest($2::text[]) AS asked ("right")`,
    [[...rights.keys()], asked, user],
  )
  const differs = (rows as { name: string; right: string; has: boolean }[])
    .filter(({ name, right, has }) => has !== rights.get(name)?.includes(right))
    .map(({ name }) => name)
  const role = quoted(user)
  await ask('BEGIN')
  for (const name of new Set(differs)) {
    await ask(`REVOKE ALL ON ${name} FROM PUBLIC, ${role}`)
    await ask(`GRANT ${rights.get(name)?.join(', ')} ON ${name} TO ${role}`)
  }
  const { rows: more } = await ask(
    `SELECT has_schema_privilege($1, $2, 'USAGE') AND has_schema_privilege($1, 'public', 'USAGE')
        AND has_function_privilege($1, $3, 'EXECUTE') AS has`,
    [user, bookkeeping.schema, pruneFunction],
  )
  if (!(more[0] as { has: boolean }).has) {
    await ask(`GRANT USAGE ON SCHEMA public, ${bookkeeping.schema} TO ${role}`)
    await ask(`GRANT EXECUTE ON FUNCTION ${pruneFunction} TO ${role}`)
  }
  await ask('COMMIT')
}

const quoted = (role: string) => `"${role.replaceAll('"', '""')}"`
