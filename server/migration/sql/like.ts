import { quoteLiteral } from '../plan/names'
import type { Expr } from './ast'
import { Refusal } from './cursor'
import { asText, type Context, type Typed } from './types'

/** LIKE folds ASCII alone, which is what ILIKE does under the collation C. GLOB becomes a regular expression. */
export function translateLike(
  context: Context,
  expr: Extract<Expr, { kind: 'like' }>,
  one: (expr: Expr) => Typed,
): Typed {
  const operand = asText(context, one(expr.operand)).sql
  const pattern = asText(context, one(expr.pattern))
  const not = expr.negated ? 'NOT ' : ''
  if (expr.operator === 'GLOB') {
    if (pattern.literal === undefined) throw new Refusal('GLOB with a computed pattern.')
    return {
      sql: `(${operand} COLLATE "C" ${expr.negated ? '!~' : '~'} ${quoteLiteral(globPattern(pattern.literal))})`,
      kind: 'boolean',
    }
  }
  let escaping = ''
  if (expr.escape) {
    const character = one(expr.escape).literal ?? ''
    if ([...character].length !== 1) throw new Refusal('ESCAPE with more than one character.')
    escaping = character
  }
  if (pattern.literal === undefined) throw new Refusal('LIKE with a computed pattern.')
  const letters = /[A-Za-z]/.test(pattern.literal)
  const left = letters ? `${operand} COLLATE "C"` : operand
  return {
    sql: `(${left} ${not}${letters ? 'ILIKE' : 'LIKE'} ${pattern.sql} ESCAPE ${quoteLiteral(escaping)})`,
    kind: 'boolean',
  }
}

/** https://www.sqlite.org/lang_expr.html#glob as an anchored regular expression. */
export function globPattern(glob: string): string {
  let out = ''
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i] as string
    if (character === '*') out += '.*'
    else if (character === '?') out += '.'
    else if (character === '[') {
      const inverted = glob[i + 1] === '^'
      const start = i + (inverted ? 2 : 1)
      const end = glob.indexOf(']', start + 1)
      const inner = glob.slice(start, end)
      if (end < 0 || /[[\]\\]/.test(inner))
        throw new Refusal(`The set of the pattern ${glob} is not translated.`)
      out += `[${inverted ? '^' : ''}${inner}]`
      i = end
    } else out += /[\\^$.|?*+(){}[\]]/.test(character) ? `\\${character}` : character
  }
  return `^${out}$`
}
