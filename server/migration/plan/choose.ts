import type { SourceColumn } from '../source/source'
import { tokenize } from '../source/sqltext'
import type { ColumnChoice, PlannedColumn, TypeOption } from '../types'
import { invalidChoices } from './choices'
import { fitsTest } from './fits'
import { affinityOf } from './mapping'
import { quoteIdentifier } from './names'

/** The option that was chosen, or the proposed one. */
export function chooseOption(
  options: readonly TypeOption[] | undefined,
  type: string | undefined,
): TypeOption | undefined {
  return options?.find((option) => option.type === type) ?? options?.[0]
}

/**
 * A column with its NULL policy and the test of its rows: `fits` is left out where every row of the evidence can
 * be stored. Throws CHOICES_INVALID where NULL should become a default that is no constant.
 */
export function applyChoice(
  column: PlannedColumn,
  option: TypeOption | undefined,
  choice: ColumnChoice,
  source: SourceColumn,
): PlannedColumn {
  const name = quoteIdentifier(column.source)
  const tests: string[] = []
  if (option && option.refused > 0) tests.push(fitsTest(name, option) ?? '1')
  const chosen: PlannedColumn = {
    ...column,
    ...(option?.shape && { evidence: { ...column.evidence, shape: option.shape } }),
  }
  if (choice.nulls === 'reject') {
    chosen.nullable = false
    if (column.evidence.nulls > 0) tests.push(`${name} IS NOT NULL`)
  }
  if (choice.nulls === 'default') {
    chosen.nullable = false
    if (column.evidence.nulls > 0) chosen.instead = constantDefault(column, source)
  }
  if (tests.length > 0) chosen.fits = tests.join(' AND ')
  return chosen
}

/** The source's DEFAULT as a literal of the class that its column would keep. */
function constantDefault(column: PlannedColumn, { name, defaultSql, declaredType }: SourceColumn): string {
  const tokens = tokenize((defaultSql ?? '').replace(/^\((.*)\)$/s, '$1'))
  const sign = tokens.length === 2 && /^[-+]$/.test(tokens[0]?.text ?? '') ? tokens[0]?.text : ''
  const only = tokens.length === (sign ? 2 : 1) ? tokens.at(-1) : undefined
  const affinity = affinityOf(declaredType)
  const isNumber = (text: string) => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
  if (column.default !== undefined && only) {
    const word = only.text.toUpperCase()
    if (only.kind === 'word' && (word === 'TRUE' || word === 'FALSE')) return word === 'TRUE' ? '1' : '0'
    if (only.kind === 'number') {
      const number = `${sign}${only.text}`
      return affinity === 'TEXT' ? `CAST(${number} AS TEXT)` : number
    }
    // What COPY would need escaped is not looked for in a constant.
    if ((only.kind === 'string' || only.kind === 'quoted') && !sign && !/[\\\p{Cc}]/u.test(only.text)) {
      const numeric = affinity !== 'TEXT' && affinity !== 'BLOB' && isNumber(only.text.trim())
      return numeric ? only.text.trim() : literal(only.text)
    }
    if (only.kind === 'blob' && !sign) return `x'${only.text}'`
  }
  throw invalidChoices([`${name} has no constant default that NULL could become`])
}
