/** A JSON Schema of the OpenAPI document. */
export type JsonSchema = { [key: string]: unknown }

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema?: JsonSchema
  content?: { 'application/json': { schema: JsonSchema } }
}

interface Told {
  operationId: string
  description: string
  parameters: Parameter[]
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } }
}

export interface Document {
  paths: Record<string, Record<string, Told>>
}

export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** A procedure, as the document tells of it. */
export interface Operation {
  name: string
  method: 'GET' | 'POST'
  /** With `{name}` for what stands in it. */
  path: string
  /** What it takes, wherever that stands in a request; null where it takes nothing. */
  input: JsonSchema | null
  stepUp: boolean
  /** Who may call it. */
  roles: readonly Role[]
}

/** Every operation of the document. */
export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => ({
      name: told.operationId,
      method: method === 'get' ? ('GET' as const) : ('POST' as const),
      path,
      input: inputOf(told),
      stepUp: told.description.includes('Step-up.'),
      roles: allowed(/Takes the permission ([\w:-]+)\./.exec(told.description)?.[1]),
    })),
  )
}

function inputOf({ parameters, requestBody }: Told): JsonSchema | null {
  if (requestBody) return requestBody.content['application/json'].schema
  const fields = parameters.filter((parameter) => parameter.in !== 'header')
  if (fields.length === 0) return null
  return {
    type: 'object',
    properties: Object.fromEntries(
      fields.map(({ name, schema, content }) => [name, schema ?? content?.['application/json'].schema ?? {}]),
    ),
    required: fields.filter(({ required }) => required).map(({ name }) => name),
  }
}

function allowed(permission = 'public'): readonly Role[] {
  if (/:manage$|:ingest$/.test(permission)) return ['admin']
  return permission.endsWith(':operate') ? ['operator', 'admin'] : roles
}
