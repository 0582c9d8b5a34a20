import type { JsonSchema } from '@/app/_lib/openapi'
import { Mono } from '@/components/ui/text'
import { nameOf, resolved } from './example'

type Schemas = Record<string, unknown>

/** How deep named schemas are opened within each other. */
const DEEPEST = 4

/** The fields of a schema, and theirs behind a fold. */
export function SchemaView({
  schema,
  schemas,
  depth = 0,
}: {
  schema: JsonSchema
  schemas: Schemas
  depth?: number
}) {
  const fields = fieldsOf(schema, schemas)
  if (!fields) return <p className="py-1.5 text-muted">{typeWords(schema, schemas)}</p>
  return (
    <ul className="border-t border-border">
      {fields.map(({ name, required, field }) => (
        <li key={name} className="border-b border-border py-1.5 last:border-b-0">
          <div className="flex flex-wrap gap-x-3">
            <Mono>{name}</Mono>
            <span className="text-muted">
              {typeWords(field, schemas)}
              {required ? '' : ', optional'}
              {limitWords(field)}
            </span>
          </div>
          {typeof field.description === 'string' ? (
            <p className="max-w-prose text-muted">{field.description}</p>
          ) : null}
          <Inner schema={field} schemas={schemas} depth={depth + 1} />
        </li>
      ))}
    </ul>
  )
}

function Inner({ schema, schemas, depth }: { schema: JsonSchema; schemas: Schemas; depth: number }) {
  const inner = withFields(schema, schemas)
  if (inner.length === 0 || depth > DEEPEST) return null
  return inner.map((option, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the options of a schema never move
    <details key={at} className="mt-1 border-l border-border pl-3">
      <summary className="cursor-pointer py-1 text-note text-muted">
        Fields of {nameOf(option) ?? kindOf(option, schemas) ?? 'this object'}
      </summary>
      <SchemaView schema={option} schemas={schemas} depth={depth} />
    </details>
  ))
}

/** What tells one option of a choice from the others: `kind "store"`. */
function kindOf(option: JsonSchema, schemas: Schemas): string | undefined {
  const told = fieldsOf(option, schemas)?.find(({ field }) => field.const !== undefined)
  return told && `${told.name} ${JSON.stringify(told.field.const)}`
}

interface FieldEntry {
  name: string
  required: boolean
  field: JsonSchema
}

function fieldsOf(schema: JsonSchema, schemas: Schemas): FieldEntry[] | undefined {
  const { properties, required = [] } = resolved(schema, schemas) as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  if (!properties) return undefined
  return Object.entries(properties).map(([name, field]) => ({
    name,
    required: required.includes(name),
    field,
  }))
}

/** The objects within a field: itself, what a list holds, or the options of a choice. */
function withFields(schema: JsonSchema, schemas: Schemas): JsonSchema[] {
  const seen = resolved(schema, schemas)
  if (seen.properties) return [schema]
  if (seen.items) return withFields(seen.items as JsonSchema, schemas)
  if (typeof seen.additionalProperties === 'object' && seen.additionalProperties) {
    return withFields(seen.additionalProperties as JsonSchema, schemas)
  }
  return ((seen.anyOf ?? seen.oneOf ?? []) as JsonSchema[]).flatMap((option) => withFields(option, schemas))
}

/** A type in words: `list of NodeFigures`, `"asc" or "desc"`, `text or null`. */
export function typeWords(schema: JsonSchema, schemas: Schemas): string {
  const name = nameOf(schema)
  const {
    type,
    const: only,
    enum: words,
    anyOf,
    oneOf,
    items,
    additionalProperties,
  } = resolved(schema, schemas)
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(words)) return words.map((word) => JSON.stringify(word)).join(' or ')
  const options = (anyOf ?? oneOf) as JsonSchema[] | undefined
  if (options) return name ?? [...new Set(options.map((option) => typeWords(option, schemas)))].join(' or ')
  if (type === 'array') return `list of ${typeWords((items ?? {}) as JsonSchema, schemas)}`
  if (name) return name
  if (type === 'object') {
    return typeof additionalProperties === 'object' && additionalProperties
      ? `object whose values are ${typeWords(additionalProperties as JsonSchema, schemas)}`
      : 'object'
  }
  return typeNames[String(type)] ?? 'any value'
}

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  null: 'null',
}

function limitWords(schema: JsonSchema): string {
  const { minimum, maximum, minLength, maxLength, maxItems, default: standing, format } = schema
  const safe = (value: unknown) => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
  const words = [
    typeof format === 'string' ? format : '',
    safe(minimum) ? `from ${minimum}` : '',
    safe(maximum) ? `up to ${maximum}` : '',
    typeof minLength === 'number' && minLength > 1 ? `at least ${minLength} characters` : '',
    typeof maxLength === 'number' ? `at most ${maxLength} characters` : '',
    typeof maxItems === 'number' ? `at most ${maxItems} of them` : '',
    standing === undefined ? '' : `else ${JSON.stringify(standing)}`,
  ].filter(Boolean)
  return words.length > 0 ? ` · ${words.join(', ')}` : ''
}
