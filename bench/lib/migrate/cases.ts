import { rmSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { random } from '@/db/testing/library'
import { shop } from './shop'

export const SEED = 20261124

export interface CaseTable {
  name: string
  /** At a scale of 1. */
  rows: number
  /** Columns of the table in PostgreSQL that text COPY of the rendered rows goes into: the types that a plan proposes. */
  target: string
}

/** One file to migrate. */
export interface Case {
  name: string
  schema: string
  /** Made after the rows. */
  indexes: string
  tables: CaseTable[]
  /** What one row holds. Called for every id from 1 on, table by table. `counts`: rows of each table. */
  row(table: string, id: number, tools: Tools, counts: Record<string, number>): unknown[]
}

export interface Tools {
  /** A whole number from 0 to below. */
  below(limit: number): number
  /** Words, from `least` to `most` characters. */
  text(lengths: readonly [least: number, most: number]): string
}

/** The ordinary case where almost everything is in one table. */
const narrow: Case = {
  name: 'narrow',
  schema: `CREATE TABLE readings (id INTEGER PRIMARY KEY, sensor INTEGER NOT NULL, at INTEGER NOT NULL, level INTEGER NOT NULL, kind TEXT NOT NULL);`,
  indexes: `CREATE INDEX readings_sensor ON readings (sensor, at);`,
  tables: [
    {
      name: 'readings',
      rows: 10_000_000,
      target: 'id bigint, sensor bigint, at bigint, level bigint, kind text',
    },
  ],
  row: (_, id, { below }) => [
    id,
    1 + below(5000),
    1_700_000_000 + id,
    below(100_000),
    ['heat', 'light', 'noise', 'dust'][below(4)],
  ],
}

const wide: Case = {
  name: 'wide',
  schema: `CREATE TABLE documents (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL);`,
  indexes: `CREATE INDEX documents_owner ON documents (owner);`,
  tables: [{ name: 'documents', rows: 400_000, target: 'id bigint, owner bigint, title text, body text' }],
  row: (_, id, { below, text }) => [id, 1 + below(20_000), text([20, 60]), text([900, 1060])],
}

export const CASES: Case[] = [shop, narrow, wide]

const WORDS =
  'amber basil cedar delta ember fjord grove harbour inlet juniper kelp lantern meadow north orchard pebble quartz river stone tundra umber vale willow yarrow'.split(
    ' ',
  )

function openTools(): Tools {
  const below = random(SEED)
  // A long run of words from which texts are cut: quick to make, and no two alike for long.
  let prose = ''
  while (prose.length < 1 << 20) prose += `${WORDS[below(WORDS.length)]} `
  return {
    below,
    text: ([least, most]) => {
      const at = below(prose.length - most)
      return prose.slice(at, at + least + below(most - least + 1))
    },
  }
}

/** Writes the file anew. The same seed and scale give the same rows. */
export function makeFile(one: Case, file: string, scale: number): { bytes: number; rows: number } {
  rmSync(file, { force: true })
  const db = new Database(file)
  for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'foreign_keys = OFF']) db.pragma(pragma)
  db.exec(one.schema)
  const tools = openTools()
  const counts = Object.fromEntries(
    one.tables.map(({ name, rows }) => [name, Math.max(1, Math.round(rows * scale))]),
  )
  db.transaction(() => {
    for (const { name } of one.tables) {
      const width = one.row(name, 1, tools, counts).length
      const insert = db.prepare(`INSERT INTO ${name} VALUES (${Array(width).fill('?').join(', ')})`)
      for (let id = 1; id <= (counts[name] as number); id++) insert.run(...one.row(name, id, tools, counts))
    }
  })()
  db.exec(one.indexes)
  db.close()
  return { bytes: statSync(file).size, rows: Object.values(counts).reduce((a, b) => a + b, 0) }
}
