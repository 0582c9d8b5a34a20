import { type JsonSchema, type Parameter, schemaOf } from '@/app/_lib/openapi'
import type { ListedOperation } from './operations'

type Schemas = Record<string, unknown>

/** What a `$ref` names, or the schema itself. */
export function resolved(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = nameOf(schema)
  return name ? ((schemas[name] as JsonSchema | undefined) ?? {}) : schema
}

/** The name of a schema that is told apart. */
export const nameOf = ({ $ref }: JsonSchema) =>
  typeof $ref === 'string' ? $ref.slice('#/components/schemas/'.length) : undefined

/** A value that a schema would take; of an object its required fields alone. */
export function exampleOf(schema: JsonSchema, schemas: Schemas): unknown {
  const {
    default: standing,
    const: only,
    enum: words,
    anyOf,
    oneOf,
    type,
    ...rest
  } = resolved(schema, schemas)
  if (standing !== undefined) return standing
  if (only !== undefined) return only
  if (Array.isArray(words)) return words[0]
  const [option] = (anyOf ?? oneOf ?? []) as JsonSchema[]
  if (option) return exampleOf(option, schemas)
  switch (type) {
    case 'string':
      return rest.format === 'uuid'
        ? '00000000-0000-4000-8000-000000000000'
        : rest.format === 'email'
          ? 'you@example.org'
          : '…'
    case 'integer':
    case 'number':
      return Math.max(1, Number(rest.minimum ?? 1))
    case 'boolean':
      return true
    case 'array':
      return [exampleOf((rest.items ?? {}) as JsonSchema, schemas)]
    case 'object': {
      const required = (rest.required ?? []) as string[]
      const properties = (rest.properties ?? {}) as Record<string, JsonSchema>
      return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name] ?? {}, schemas)]))
    }
    default:
      return null
  }
}

/** The call as a command line. */
export function curlOf(
  { method, path, operation }: ListedOperation,
  { url, schemas }: { url: string; schemas: Schemas },
): string {
  const required = operation.parameters.filter((parameter) => parameter.required)
  const inPath = required.filter((parameter) => parameter.in === 'path')
  const inQuery = required.filter((parameter) => parameter.in === 'query')
  const filled = inPath.reduce(
    (at, parameter) => at.replace(`{${parameter.name}}`, textOf(parameter, schemas)),
    path,
  )
  const query = inQuery
    .map((parameter) => `${parameter.name}=${encodeURIComponent(textOf(parameter, schemas))}`)
    .join('&')
  const body = operation.requestBody?.content['application/json'].schema
  const lines = [
    `curl ${url}${filled}${query ? `?${query}` : ''}`,
    ...(operation.security.length > 0 ? [`-H "Authorization: Bearer $HOLDFAST_KEY"`] : []),
    ...(method === 'POST' && !body ? ['-X POST'] : []),
    ...(body ? [`--json '${JSON.stringify(exampleOf(body, schemas))}'`] : []),
  ]
  return lines.join(' \\\n  ')
}

function textOf(parameter: Parameter, schemas: Schemas): string {
  const value = exampleOf(schemaOf(parameter), schemas)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
