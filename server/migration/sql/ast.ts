/** SQL of SQLite as plain data, as far as it is translated. */

export type Expr =
  | { kind: 'number'; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'blob'; hex: string }
  | { kind: 'null' }
  /** `quoted`: in double quotes, so that it is a text where no column has this name. */
  | { kind: 'name'; table?: string; name: string; quoted?: 'double' }
  | { kind: 'unary'; operator: '-' | '+' | '~' | 'NOT'; operand: Expr }
  | { kind: 'binary'; operator: string; left: Expr; right: Expr }
  | { kind: 'between'; negated: boolean; operand: Expr; low: Expr; high: Expr }
  | { kind: 'in'; negated: boolean; operand: Expr; items: Expr[] }
  | { kind: 'inQuery'; negated: boolean; operand: Expr; query: Select }
  | {
      kind: 'like'
      negated: boolean
      operator: 'LIKE' | 'GLOB'
      operand: Expr
      pattern: Expr
      escape?: Expr
    }
  | { kind: 'case'; operand?: Expr; branches: { when: Expr; result: Expr }[]; otherwise?: Expr }
  | { kind: 'cast'; operand: Expr; type: string }
  | { kind: 'call'; name: string; args: Expr[]; distinct?: true; star?: true }
  | { kind: 'collate'; operand: Expr; collation: string }
  | { kind: 'exists'; query: Select }
  | { kind: 'query'; query: Select }
  | { kind: 'raise'; action: string; message: string }

export interface Select {
  /** Named queries before it, each of which may use those before it. */
  with?: { name: string; columns: string[] | null; query: Select }[]
  distinct: boolean
  columns: SelectColumn[]
  from: Source[]
  where?: Expr
  groupBy: Expr[]
  having?: Expr
  /** Further selects that are joined by UNION and the like. */
  compound: { operator: 'UNION' | 'UNION ALL' | 'INTERSECT' | 'EXCEPT'; select: Select }[]
  orderBy: Order[]
  limit?: Expr
  offset?: Expr
}

export type SelectColumn = { star: true; table?: string } | { star?: false; value: Expr; alias?: string }

export interface Source {
  table: string
  /** A query in parentheses instead of a table. */
  query?: Select
  alias: string
  /** How it is joined to what stands before it. */
  join: 'CROSS' | 'INNER' | 'LEFT'
  on?: Expr
  using?: string[]
}

export interface Order {
  value: Expr
  descending: boolean
  nulls?: 'FIRST' | 'LAST'
}
