import type pg from 'pg'
import { quoteIdentifier as q, quoteLiteral } from '../plan/names'
import { readCatalog } from '../target/catalog'
import { qualified } from '../target/ddl'
import type { Plan } from '../types'

/**
 * Takes the foreign keys of the plan's tables off, inside a transaction. What it answers puts them back and proves
 * them; one that the rows break by now stays NOT VALID, which the next comparison names.
 */
export async function takeForeignKeys(client: pg.Client, plan: Plan): Promise<() => Promise<void>> {
  const ours = new Set(plan.tables.map((table) => table.target))
  const taken = (await readCatalog(client, plan.schema)).flatMap((table) =>
    table.foreignKeys
      .filter((key) => ours.has(table.name) || ours.has(key.table))
      .map((key) => ({ ...key, on: qualified(plan.schema, table.name) })),
  )
  for (const { on, name } of taken) await client.query(`ALTER TABLE ${on} DROP CONSTRAINT ${q(name)}`)
  return async () => {
    await client.query('SET CONSTRAINTS ALL IMMEDIATE')
    for (const { on, name, definition, validated } of taken) {
      const plain = definition.replace(/ NOT VALID$/, '')
      await client.query(`ALTER TABLE ${on} ADD CONSTRAINT ${q(name)} ${plain} NOT VALID`)
      if (validated) await client.query(provable(on, name))
    }
  }
}

function provable(on: string, name: string): string {
  const validate = `ALTER TABLE ${on} VALIDATE CONSTRAINT ${q(name)}`
  return `DO $holdfast$ BEGIN EXECUTE ${quoteLiteral(validate)}; EXCEPTION WHEN foreign_key_violation THEN NULL; END $holdfast$`
}
