import type { NodePgClient } from 'drizzle-orm/node-postgres'
import type { PgHandle, SqliteQuery } from './open'

/** Does work in a span; server/trace.ts is one such. Attributes never hold values. */
export type Traced = <T>(
  span: { name: string; kind?: 'client'; attributes: Record<string, string> },
  work: () => Promise<T>,
) => Promise<T>

/** Where statements go, as their spans tell it (OpenTelemetry's names). */
export interface StatementPlace {
  traced: Traced
  'db.namespace': string
}

/** The same client, with a span for every statement. */
export function tracedPg<C extends Pick<PgHandle, 'query'>>(
  client: C,
  place: StatementPlace | undefined,
): Pick<C, 'query'> {
  if (!place) return client
  const query = client.query.bind(client) as (statement: unknown, ...rest: unknown[]) => Promise<unknown>
  const ask = (statement: string | { text: string }, ...rest: unknown[]) =>
    place.traced(spanOf('postgresql', textOf(statement), place), () => query(statement, ...rest))
  return { query: ask as unknown as NodePgClient['query'] }
}

/** The same for a SQLite file. */
export function tracedSqlite(query: SqliteQuery, place: StatementPlace | undefined): SqliteQuery {
  if (!place) return query
  return (sql, params, method) => place.traced(spanOf('sqlite', sql, place), () => query(sql, params, method))
}

const textOf = (statement: string | { text: string }) =>
  typeof statement === 'string' ? statement : statement.text

/** The text has parameters, no values: drizzle binds them all. */
function spanOf(
  system: 'postgresql' | 'sqlite',
  text: string,
  { 'db.namespace': namespace }: StatementPlace,
) {
  const operation = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL'
  return {
    name: operation,
    kind: 'client' as const,
    attributes: {
      'db.system.name': system,
      'db.namespace': namespace,
      'db.operation.name': operation,
      'db.query.text': text,
    },
  }
}
