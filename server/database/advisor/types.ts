/** What the advisor reads and says; one shape on both dialects. */

export interface WorkStatement {
  /** As the application sends it, or normalised: values as $n or ?. Constants that never vary may stay. */
  text: string
  calls: number
  /** Milliseconds that all calls took together; 0 when nobody measured. */
  totalMilliseconds: number
}

export interface IndexKey {
  /** A column, or an expression in the words of the statement: lower(email). */
  name: string
  expression: boolean
  descending?: boolean
  /** An operator class, where the column's own doesn't serve: text_pattern_ops. */
  operators?: string
}

/** An index that could be made. */
export interface IndexShape {
  schema: string | null
  table: string
  keys: IndexKey[]
  include: string[]
  /** The condition of a partial index, without aliases. */
  where: string | null
}

export interface ColumnFacts {
  name: string
  type: string
  /** Different values, counted over the whole table; null when the table was never analysed. */
  distinct: number | null
  nullShare: number
  /** Share of rows that the most frequent value has; 0 when none stands out. */
  topShare: number
  /** The chance that two rows have the same value, as far as it is a frequent one. */
  sameShare: number
  /** Average bytes. */
  width: number
  /** −1 to 1: how far the rows lie in this column's order. */
  correlation: number
  /** Whether LIKE 'x%' needs text_pattern_ops. */
  needsPatternOperators: boolean
  /** Whether a B-tree can order it. */
  sortable: boolean
}

export interface ExistingIndex {
  name: string
  /** Column names, or expressions, as the database writes them. */
  keys: string[]
  include: string[]
  where: string | null
  unique: boolean
  primary: boolean
  valid: boolean
  method: string
}

export interface TableFacts {
  schema: string | null
  name: string
  rows: number
  pages: number
  /** Share of pages that an index-only scan needn't visit. */
  visibleShare: number
  columns: Map<string, ColumnFacts>
  indexes: ExistingIndex[]
  /** Rows written since the statistics were reset. */
  writes: { inserts: number; updates: number; deletes: number }
  analysed: boolean
}

export type NoneReason =
  | 'not-understood'
  | 'quick-already'
  | 'small-table'
  | 'indexed-already'
  | 'not-selective'
  | 'no-condition'
  | 'no-table'
  | 'no-statistics'
  | 'writes-outweigh'

export interface Evidence {
  /** How it was costed: by hypothetical indexes, from statistics, or by planning on a copy of the schema. */
  method: 'hypopg' | 'statistics' | 'schema-copy'
  /** In the planner's units. */
  costBefore: number
  costAfter: number
  planBefore: string
  planAfter: string
}

export interface Verdict {
  statement: WorkStatement
  /** The index to make; null for none. */
  index: IndexShape | null
  /** Why there is none; null beside an index. */
  none: NoneReason | null
  /** One sentence for the reader. */
  because: string
  evidence: Evidence | null
}

export interface Advice {
  index: IndexShape
  name: string
  ddl: string
  undo: string
  sizeBytes: number
  /** The statements it serves, the one with most time first. */
  verdicts: Verdict[]
  /** Names of advised indexes to be made before it: without them it would slow statements of theirs. */
  after: string[]
  /** Milliseconds of `totalMilliseconds` that costs say it saves; null when no statement was measured. */
  savesMilliseconds: number | null
  writes: { indexes: number; inserts: number; updates: number; deletes: number; slowsUpdatesOf: string[] }
  confidence: 'high' | 'medium' | 'low'
}

export interface AdviseOptions {
  /**
   * Rows written to each table while the calls were counted. Given, an index whose upkeep costs more time than its
   * statements save is not advised.
   */
  writes?: ReadonlyMap<string, number>
  /** 'statistics' leaves HypoPG aside where it is installed. */
  method?: 'statistics'
}

export interface Advised {
  method: Evidence['method']
  verdicts: Verdict[]
  /** What to do, the most saving first, but none before those in its `after`: one index may serve several statements. */
  advice: Advice[]
}
