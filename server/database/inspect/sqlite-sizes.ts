import { quoteName } from '../advisor/normalise'

export type Ask = (sql: string, params?: unknown[]) => Promise<Record<string, unknown>[]>

/** A b-tree of the file: a table's, or an index's. */
export interface Tree {
  name: string
  table: string
  /** Its entries are in inner pages too: an index, or a table without rowid. */
  keyed: boolean
}

export interface Measured {
  bytes: number
  /** Entries; null where they are unknown. */
  rows: number | null
  exact: boolean
}

/** A file of so many pages is gone through whole: a tenth of a second, in the reading thread. */
const WHOLE_PAGES = 16_384
/** Otherwise the first pages of each tree are looked at, and nothing more after a while. */
const SAMPLED_PAGES = 1_000
const SAMPLING_MS = 2_500

/** SQLite manual, "The DBSTAT Virtual Table": a row a page. */
const WHOLE = `
  SELECT name, sum(pgsize) AS bytes, sum(ncell) AS cells, sum(iif(pagetype = 'leaf', ncell, 0)) AS leaf_cells
    FROM dbstat
   GROUP BY name`

const SAMPLE = `
  SELECT count(*) AS pages, sum(pgsize) AS bytes, sum(ncell) AS cells,
         sum(iif(pagetype = 'leaf', ncell, 0)) AS leaf_cells
    FROM (SELECT pgsize, ncell, pagetype FROM dbstat WHERE name = ? LIMIT ${SAMPLED_PAGES})`

/** What the trees take in the file. Without dbstat, which a build may leave out, nothing but rows is known. */
export async function measure(
  ask: Ask,
  trees: readonly Tree[],
  wholePages = WHOLE_PAGES,
): Promise<Map<string, Measured>> {
  const [has] = await ask("SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB') AS dbstat")
  const [file] = await ask(
    'SELECT page_count AS pages, page_size AS size FROM pragma_page_count, pragma_page_size',
  )
  const pages = Number(file?.pages)
  if (Number(has?.dbstat) === 1 && pages <= wholePages) return whole(ask, trees)
  const sizes = new Map<string, Measured>()
  const counted = await rowsOf(ask)
  const until = performance.now() + SAMPLING_MS
  for (const tree of trees) {
    const sample =
      Number(has?.dbstat) === 1 && performance.now() < until ? (await ask(SAMPLE, [tree.name]))[0] : undefined
    const rows = counted.get(tree.table) ?? (tree.keyed ? null : await highestRowid(ask, tree.table))
    if (!counted.has(tree.table) && rows !== null) counted.set(tree.table, rows)
    sizes.set(tree.name, estimate(tree, sample, rows, pages * Number(file?.size)))
  }
  return sizes
}

async function whole(ask: Ask, trees: readonly Tree[]): Promise<Map<string, Measured>> {
  const found = new Map((await ask(WHOLE)).map((row) => [String(row.name), row]))
  return new Map(
    trees.map(({ name, keyed }) => {
      const row = found.get(name)
      const rows = Number((keyed ? row?.cells : row?.leaf_cells) ?? 0)
      return [name, { bytes: Number(row?.bytes ?? 0), rows, exact: row !== undefined }]
    }),
  )
}

/** A tree with fewer pages than the sample is known; of another one the sample tells how many rows a page holds. */
function estimate(
  { keyed }: Tree,
  sample: Record<string, unknown> | undefined,
  rows: number | null,
  fileBytes: number,
): Measured {
  const pages = Number(sample?.pages ?? 0)
  const bytes = Number(sample?.bytes ?? 0)
  const cells = Number((keyed ? sample?.cells : sample?.leaf_cells) ?? 0)
  if (pages > 0 && pages < SAMPLED_PAGES) return { bytes, rows: cells, exact: true }
  if (rows === null || cells === 0) return { bytes, rows, exact: false }
  return {
    bytes: Math.min(fileBytes, Math.max(bytes, Math.round((rows / cells) * bytes))),
    rows,
    exact: false,
  }
}

/** Rows by table as the last ANALYZE counted them. */
async function rowsOf(ask: Ask): Promise<Map<string, number>> {
  const [has] = await ask("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")
  if (!has) return new Map()
  const rows = await ask('SELECT tbl, max(CAST(stat AS INTEGER)) AS rows FROM sqlite_stat1 GROUP BY tbl')
  return new Map(rows.map((row) => [String(row.tbl), Number(row.rows)]))
}

/** As many rows as there ever were, at least: quick, and right where few are deleted. */
async function highestRowid(ask: Ask, table: string): Promise<number> {
  const [row] = await ask(`SELECT max(rowid) AS rows FROM ${quoteName(table)}`)
  return Number(row?.rows ?? 0)
}
