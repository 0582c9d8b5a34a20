import type pg from 'pg'
import type { Check, Plan } from '../types'

/** Indexes and CHECKs of the plan as the catalogue has them. */
export async function checkCarried(client: pg.Client, plan: Plan): Promise<Check> {
  const { rows: indexes } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'i' AND relnamespace = quote_ident($1)::regnamespace`,
    [plan.schema],
  )
  const { rows: checks } = await client.query<{ table: string; name: string; valid: boolean }>(
    `SELECT c.relname AS "table", k.conname AS name, k.convalidated AS valid
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE k.contype = 'c' AND k.connamespace = quote_ident($1)::regnamespace`,
    [plan.schema],
  )
  const missing: string[] = []
  const broken: string[] = []
  let counted = 0
  for (const table of plan.tables) {
    for (const index of table.indexes) {
      counted++
      if (!indexes.some(({ name }) => name === index.name)) missing.push(`index ${index.name}`)
    }
    for (const check of table.checks ?? []) {
      counted++
      const found = checks.find((one) => one.table === table.target && one.name === check.name)
      if (!found) missing.push(`check ${check.name} of ${table.target}`)
      else if (!found.valid) broken.push(`${check.name} of ${table.target}`)
    }
  }
  return {
    id: 'target-clauses',
    title: 'Indexes and checks',
    state: missing.length > 0 ? 'red' : broken.length > 0 ? 'amber' : 'green',
    detail:
      missing.length > 0
        ? `Missing: ${missing.join('; ')}.`
        : broken.length > 0
          ? `Rows of the source break these checks, which hold for new rows alone: ${broken.join('; ')}.`
          : `${counted} stand.`,
    ...(missing.length > 0 && {
      remedy: 'Something outside of the run dropped them: cancel and start again.',
    }),
    ...(broken.length > 0 &&
      missing.length === 0 && {
        remedy: 'Correct the rows, then ALTER TABLE … VALIDATE CONSTRAINT ….',
      }),
  }
}

/** Views and triggers of the plan that the server made; one that it refused is for somebody to make by hand. */
export async function checkPrograms(client: pg.Client, plan: Plan): Promise<Check | null> {
  const { views = [], triggers = [] } = plan
  if (views.length + triggers.length === 0) return null
  const { rows } = await client.query<{ name: string; kind: string }>(
    `SELECT relname AS name, 'view' AS kind FROM pg_class WHERE relkind = 'v' AND relnamespace = quote_ident($1)::regnamespace
     UNION ALL SELECT t.tgname, 'trigger' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal AND c.relnamespace = quote_ident($1)::regnamespace`,
    [plan.schema],
  )
  const stands = (kind: string, name: string) => rows.some((row) => row.kind === kind && row.name === name)
  const missing = [
    ...views.filter((view) => !stands('view', view.target)).map((view) => `view ${view.target}`),
    ...triggers.filter((one) => !stands('trigger', one.target)).map((one) => `trigger ${one.target}`),
  ]
  return {
    id: 'target-programs',
    title: 'Views and triggers',
    state: missing.length > 0 ? 'amber' : 'green',
    detail:
      missing.length > 0
        ? `The server refused to make: ${missing.join('; ')}.`
        : `${views.length} views and ${triggers.length} triggers stand.`,
    ...(missing.length > 0 && { remedy: 'Make them by hand from the SQL in the plan.' }),
  }
}
