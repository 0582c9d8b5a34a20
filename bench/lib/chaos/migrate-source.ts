import Database from 'better-sqlite3'
import { seeded } from '../seeded'

type Random = () => number

/** By what the rows of a table are told apart. */
const KEYS = ['rowid', 'autoincrement', 'text', 'pair', 'none'] as const

export interface TableShape {
  name: string
  key: (typeof KEYS)[number]
  columns: ('INTEGER' | 'REAL' | 'TEXT' | 'BLOB')[]
  rows: number
  /** Rows point at one of the first table. */
  child: boolean
}

/** Share of texts with a NUL: their rows are rejected. */
const BAD = 1 / 4_000

/** The table whose one row says how many of the writer's transactions a state has. */
export const MARKER = 'marker'

/** Tables of a round: one of whole numbers, which others may refer to, and two to four of any kind. */
export function randomShape(random: Random): TableShape[] {
  const below = (n: number) => Math.floor(random() * n)
  const kinds = ['INTEGER', 'REAL', 'TEXT', 'BLOB'] as const
  const total = 20_000 + below(40_001)
  const count = 3 + below(3)
  const shares = Array.from({ length: count }, () => 0.2 + random())
  const sum = shares.reduce((a, b) => a + b, 0)
  return shares.map((share, i) => ({
    name: `t${i}`,
    key:
      i === 0
        ? random() < 0.5
          ? 'rowid'
          : 'autoincrement'
        : (KEYS[below(KEYS.length)] as TableShape['key']),
    columns: [
      'TEXT',
      ...Array.from({ length: 1 + below(5) }, () => kinds[below(4)] as (typeof kinds)[number]),
    ],
    rows: Math.round((total * share) / sum),
    child: i > 0 && random() < 0.5,
  }))
}

/** Makes the file with its first rows, in WAL mode. */
export function makeSource(file: string, shape: readonly TableShape[], random: Random): void {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  db.exec(
    `CREATE TABLE ${MARKER} (id INTEGER PRIMARY KEY, n INTEGER NOT NULL); INSERT INTO ${MARKER} VALUES (1, 0)`,
  )
  for (const table of shape) {
    db.exec(createTable(table))
    const insert = db.prepare(insertOf(table))
    db.transaction(() => {
      for (let n = 1; n <= table.rows; n++) insert.run(rowOf(table, n, shape[0] as TableShape, random))
    })()
    if (table.child) db.exec(`CREATE INDEX ${table.name}_parent ON ${table.name} (parent)`)
  }
  db.close()
}

function createTable({ name, key, columns, child }: TableShape): string {
  const keys = {
    rowid: 'id INTEGER PRIMARY KEY, ',
    autoincrement: 'id INTEGER PRIMARY KEY AUTOINCREMENT, ',
    text: 'id TEXT PRIMARY KEY, ',
    pair: 'id INTEGER NOT NULL, part TEXT NOT NULL, ',
    none: '',
  }
  const values = columns.map((type, i) => `c${i} ${type}`).join(', ')
  const parent = child ? ', parent INTEGER REFERENCES t0(id)' : ''
  const end = key === 'pair' ? ', PRIMARY KEY (id, part)) WITHOUT ROWID' : ')'
  return `CREATE TABLE ${name} (${keys[key]}${values}${parent}${end}`
}

function insertOf({ name, key, columns, child }: TableShape): string {
  const keys = key === 'none' ? 0 : key === 'pair' ? 2 : 1
  return `INSERT INTO ${name} VALUES (${Array(keys + columns.length + Number(child))
    .fill('?')
    .join(', ')})`
}

const keyOf = ({ key }: TableShape, n: number): (number | string)[] =>
  key === 'none' ? [] : key === 'pair' ? [n % 997, `part ${n}`] : key === 'text' ? [`key ${n}`] : [n]

function rowOf(table: TableShape, n: number, parents: TableShape, random: Random): unknown[] {
  const values = table.columns.map((type) => {
    // The first row spans what later ones may hold, so that the plan leaves room for them.
    if (n === 1 && type === 'INTEGER') return -(2n ** 40n)
    return random() < 0.05 ? null : randomValue(table, type, random)
  })
  const parent = 1 + Math.floor(random() * parents.rows)
  return [...keyOf(table, n), ...values, ...(table.child ? [parent] : [])]
}

const PIECES = [
  '\t',
  '\n',
  '\r\n',
  '\\',
  '\\N',
  '\\.',
  '"',
  "'",
  'é',
  '漢字',
  '🦔',
  '\x1f',
  ' ',
  'NULL',
  'plain text ',
  '0',
]

function randomValue({ name }: TableShape, type: TableShape['columns'][number], random: Random): unknown {
  const below = (n: number) => Math.floor(random() * n)
  if (type === 'INTEGER') return BigInt(below(2 ** 41)) - 2n ** 40n
  if (type === 'REAL') return random() < 0.3 ? below(1000) : (random() - 0.5) * 10 ** below(40)
  if (type === 'BLOB') return Buffer.from(Array.from({ length: below(60) }, () => below(256)))
  // No parents: their children would be orphans.
  if (name !== 't0' && random() < BAD) return 'a text that PostgreSQL has\0no room for'
  const text = Array.from({ length: below(8) }, () => PIECES[below(PIECES.length)]).join('')
  return text + 'lorem ipsum '.repeat(below(20))
}

/** The writer's n-th transaction: the same for the same seed, on the source as on a copy of it. */
export function writeOnce(
  db: Database.Database,
  shape: readonly TableShape[],
  seed: number,
  n: number,
): void {
  const random = seeded(seed * 1_000_003 + n)
  const below = (limit: number) => Math.floor(random() * limit)
  const parents = shape[0] as TableShape
  db.transaction(() => {
    for (let i = 0, many = 1 + below(8); i < many; i++) {
      const table = shape[below(shape.length)] as TableShape
      const some = 1 + below(table.rows)
      const act = random()
      if (act < 0.4) insertNew(db, table, parents, 1_000_000 + n * 10 + i, random)
      else if (act < 0.75) updateOne(db, table, some, random)
      else removeOne(db, shape, table, some)
    }
    db.prepare(`UPDATE ${MARKER} SET n = ?`).run(n)
  })()
}

function insertNew(
  db: Database.Database,
  table: TableShape,
  parents: TableShape,
  n: number,
  random: Random,
): void {
  const row = rowOf(table, n, parents, random)
  const there = table.child ? db.prepare('SELECT id FROM t0 WHERE id = ?').pluck().get(row.at(-1)) : null
  db.prepare(insertOf(table)).run(table.child ? [...row.slice(0, -1), there ?? null] : row)
}

function updateOne(db: Database.Database, table: TableShape, n: number, random: Random): void {
  const column = Math.floor(random() * table.columns.length)
  const value = randomValue(table, table.columns[column] as TableShape['columns'][number], random)
  db.prepare(`UPDATE ${table.name} SET c${column} = ? WHERE ${conditionOf(table)}`).run(
    value,
    ...placeOf(table, n),
  )
}

function removeOne(db: Database.Database, shape: readonly TableShape[], table: TableShape, n: number): void {
  if (table === shape[0]) {
    for (const child of shape.filter((one) => one.child))
      db.prepare(`DELETE FROM ${child.name} WHERE parent = ?`).run(n)
  }
  db.prepare(`DELETE FROM ${table.name} WHERE ${conditionOf(table)}`).run(...placeOf(table, n))
}

const conditionOf = ({ key }: TableShape) =>
  key === 'none' ? 'rowid = ?' : key === 'pair' ? 'id = ? AND part = ?' : 'id = ?'
const placeOf = (table: TableShape, n: number) => (table.key === 'none' ? [n] : keyOf(table, n))
