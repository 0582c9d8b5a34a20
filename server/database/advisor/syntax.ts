import { type Token, tokenise } from './tokens'

/** A statement as a tree of parentheses: what the parser of clauses walks over. */

export interface Group {
  kind: 'group'
  nodes: Node[]
  start: number
  end: number
}

export type Node = Token | Group

/** The tokens of a statement with every parenthesis as one node. A closing one that is missing ends at the end. */
export function treeOf(sql: string): Node[] {
  const root: Node[] = []
  const open: Group[] = []
  for (const token of tokenise(sql)) {
    const nodes = open.at(-1)?.nodes ?? root
    if (token.kind === 'mark' && token.text === '(') {
      const group: Group = { kind: 'group', nodes: [], start: token.start, end: sql.length }
      nodes.push(group)
      open.push(group)
    } else if (token.kind === 'mark' && token.text === ')') {
      const group = open.pop()
      if (group) group.end = token.end
    } else nodes.push(token)
  }
  return root
}

export const isGroup = (node: Node | undefined): node is Group => node?.kind === 'group'

export function isWord(node: Node | undefined, ...words: string[]): boolean {
  return node?.kind === 'word' && (words.length === 0 || words.includes(node.text))
}

export function isMark(node: Node | undefined, ...marks: string[]): boolean {
  return node?.kind === 'mark' && marks.includes(node.text)
}

/** A name that a table or a column may have: bare or quoted. */
export function isName(node: Node | undefined): node is Token {
  return node?.kind === 'name' || (node?.kind === 'word' && !CLAUSES.has(node.text))
}

const CLAUSES = new Set(
  `select from where group having order limit offset fetch for union intersect except window returning on using join
  inner left right full cross natural and or not set values in between like ilike is null as when then else end case
  asc desc nulls distinct any some all exists true false interval conflict do only lateral with`
    .trim()
    .split(/\s+/),
)

/** Splits nodes at the separators of this level. */
export function split(nodes: Node[], separates: (node: Node, at: number) => boolean): Node[][] {
  const parts: Node[][] = [[]]
  nodes.forEach((node, at) => {
    if (separates(node, at)) parts.push([])
    else parts.at(-1)?.push(node)
  })
  return parts.filter((part) => part.length > 0)
}

export const splitCommas = (nodes: Node[]): Node[][] => split(nodes, (node) => isMark(node, ','))

/** Splits a condition at AND, but not at the one of BETWEEN and not inside CASE. */
export function splitAnd(nodes: Node[]): Node[][] {
  let between = false
  let cases = 0
  return split(nodes, (node) => {
    if (isWord(node, 'case')) cases++
    if (isWord(node, 'end')) cases--
    if (isWord(node, 'between')) between = true
    if (!isWord(node, 'and') || cases > 0) return false
    if (!between) return true
    between = false
    return false
  })
}

/** The statement's own text of these nodes. */
export function sourceOf(sql: string, nodes: Node[]): string {
  const first = nodes[0]
  const last = nodes.at(-1)
  return first && last ? sql.slice(first.start, last.end) : ''
}

/** A column as written: "o.status", status. */
export interface Column {
  alias?: string
  name: string
}

/** The column that these nodes are, and nothing else; a cast to a type is looked through only by `operand`. */
export function columnOf(nodes: Node[]): Column | undefined {
  const [first, dot, second] = nodes
  if (nodes.length === 1 && isName(first)) return { name: first.text }
  if (nodes.length === 3 && isName(first) && isMark(dot, '.') && isName(second)) {
    return { alias: first.text, name: second.text }
  }
  // schema.table.column
  if (nodes.length === 5 && isName(nodes[4]) && isName(nodes[2])) {
    return isMark(nodes[1], '.') && isMark(nodes[3], '.')
      ? { alias: nodes[2].text, name: nodes[4].text }
      : undefined
  }
  const [only] = nodes
  return nodes.length === 1 && isGroup(only) ? columnOf(only.nodes) : undefined
}

/** Words that are values or lead to one without naming a column. */
const VALUE_WORDS = new Set(
  `null true false current_date current_time current_timestamp localtime localtimestamp interval date time timestamp
  timestamptz array at zone and or not case when then else end day month year hour`
    .trim()
    .split(/\s+/),
)

/** Every column that is named somewhere in these nodes; subqueries are left out. */
export function columnsIn(nodes: Node[]): Column[] {
  const found: Column[] = []
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at] as Node
    if (isGroup(node)) {
      if (!isWord(node.nodes[0], 'select', 'with', 'values')) found.push(...columnsIn(node.nodes))
      continue
    }
    // The type of a cast.
    if (isMark(nodes[at - 1], '::') || isWord(nodes[at - 1], 'as')) continue
    if (!isName(node) || (node.kind === 'word' && VALUE_WORDS.has(node.text))) continue
    if (isMark(nodes[at + 1], '.') && isName(nodes[at + 2])) {
      const third = isMark(nodes[at + 3], '.') && isName(nodes[at + 4]) ? nodes[at + 4] : undefined
      const call = isGroup(nodes[at + (third ? 5 : 3)])
      const [alias, name] = third ? [nodes[at + 2] as Token, third as Token] : [node, nodes[at + 2] as Token]
      if (!call) found.push({ alias: alias.text, name: name.text })
      at += third ? 4 : 2
    } else if (!isGroup(nodes[at + 1])) found.push({ name: node.text })
  }
  return found
}

export function hasSubquery(nodes: Node[]): boolean {
  return nodes.some(
    (node) => isGroup(node) && (isWord(node.nodes[0], 'select', 'with') || hasSubquery(node.nodes)),
  )
}
