import type { AnyRouter, AnyTRPCProcedure } from '@trpc/server'
import { z } from 'zod'
import { errorStatus } from '@/server/errors'
import { kindOf } from '../idempotency-kinds'
import type { ProcedureMeta } from '../init'
import { type RestRoute, restRoutes } from '../rest-routes'
import answers from './answers.json'

/** A JSON Schema, draft 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = { [key: string]: unknown }

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  description?: string
  schema?: JsonSchema
  /** Of an object, which stands in a query as JSON. */
  content?: { 'application/json': { schema: JsonSchema } }
}

export interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters: Parameter[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: JsonSchema } } }
  responses: Record<string, unknown>
}

export interface OpenApiDocument {
  openapi: '3.1.1'
  info: Record<string, unknown>
  servers: { url: string; description: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Partial<Record<'get' | 'post', Operation>>>
  components: Record<string, Record<string, unknown>>
}

interface Told {
  summary: string
  answer: JsonSchema | null
}

const tags: Record<string, string> = {
  auth: 'Sign-in, refresh, step-up',
  account: 'The own password, factors and sessions',
  system: 'Health, configuration, metrics',
  database: 'Pools, statements, index advice, tables, replicas',
  cache: 'Both levels, keys, nodes',
  security: 'Events, findings, blocks, users, keys',
  migration: 'Runs from SQLite to PostgreSQL',
}

/**
 * The OpenAPI 3.1 document of everything a router answers over REST. Inputs come from the schemas that parse them,
 * answers from the procedures' types (scripts/answers.mjs), addresses and permissions from `meta`.
 */
export function openApiDocument(
  router: AnyRouter,
  { url, version }: { url: string; version: string },
): OpenApiDocument {
  const routes = restRoutes(router)
  const procedures = router._def.procedures as Record<string, AnyTRPCProcedure>
  const paths: OpenApiDocument['paths'] = {}
  const recursive: Record<string, JsonSchema> = {}
  for (const route of routes) {
    const path = `/api${route.path}`
    const method = route.method === 'GET' ? 'get' : 'post'
    paths[path] = { ...paths[path], [method]: operationOf(route, procedures[route.procedure], recursive) }
  }
  const used = new Set(routes.map(({ procedure }) => areaOf(procedure)))
  return {
    openapi: '3.1.1',
    info: {
      title: 'Holdfast',
      version,
      summary: 'The console over REST.',
      description:
        'The same procedures that the pages use. Programs sign in with an API key, or with an access token from /api/auth/login, as `Authorization: Bearer …`. Times are UTC milliseconds since 1970 unless a field says otherwise.',
      license: { name: 'MIT', identifier: 'MIT' },
      contact: { name: 'The operator of this console', url },
    },
    servers: [{ url, description: 'This console' }],
    tags: Object.entries(tags)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, or the access token of a sign-in.',
        },
      },
      schemas: { Problem: problem, ...recursive, ...answers.schemas },
      responses: { Problem: problemAnswer },
    },
  }
}

/** @param recursive gets the schemas of inputs that name themselves, which stand among the components. */
function operationOf(
  route: RestRoute,
  procedure: AnyTRPCProcedure | undefined,
  recursive: Record<string, JsonSchema>,
): Operation {
  const { permission } = (procedure?._def.meta ?? {}) as Partial<ProcedureMeta>
  const told = (answers.procedures as unknown as Record<string, Told>)[route.procedure]
  if (!told) throw new Error(`Nothing tells what ${route.procedure} answers: run node scripts/answers.mjs.`)
  const input = inputOf(procedure, (name, schema) => {
    recursive[name] = schema
  })
  const open = permission === 'public'
  const changes = route.method === 'POST'
  const needs = open ? 'Anybody may call it.' : `Takes the permission ${permission}.`
  const said = told.summary.replaceAll('`', '')
  return {
    operationId: route.procedure,
    summary: said.replace(/\. .*$/, '.'),
    description: `${said} ${needs}`,
    tags: [areaOf(route.procedure)],
    security: open ? [] : [{ bearer: [] }],
    parameters: [
      ...pathParameters(route, input),
      ...(changes ? [] : queryParameters(route, input)),
      ...(said.includes(stepUpMark) ? [stepUpHeader] : []),
      ...(changes && !['looks', 'refused'].includes(kindOf(route.procedure)) ? [idempotencyHeader] : []),
    ],
    ...(changes && input
      ? {
          requestBody: {
            required: (input.required?.length ?? 0) > 0,
            content: { 'application/json': { schema: input as JsonSchema } },
          },
        }
      : {}),
    responses: {
      ...(told.answer
        ? { 200: { description: 'Done.', content: { 'application/json': { schema: told.answer } } } }
        : { 204: { description: 'Done; there is nothing to say.' } }),
      '4XX': { $ref: '#/components/responses/Problem' },
      '5XX': { $ref: '#/components/responses/Problem' },
    },
  }
}

interface InputSchema {
  type?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  anyOf?: InputSchema[]
  oneOf?: InputSchema[]
}

/** What a procedure takes; undefined where it takes nothing. `keep` gets schemas that name themselves. */
function inputOf(
  procedure: AnyTRPCProcedure | undefined,
  keep: (name: string, schema: JsonSchema) => void,
): InputSchema | undefined {
  const [schema] = (procedure as unknown as { _def: { inputs: z.ZodType[] } } | undefined)?._def.inputs ?? []
  if (!schema) return undefined
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const text = JSON.stringify(made).replaceAll('#/$defs/__schema', '#/components/schemas/Json')
  const { $schema: _, $defs = {}, ...json } = JSON.parse(text, withoutUnicodeClasses)
  for (const [name, inner] of Object.entries($defs))
    keep(name.replace('__schema', 'Json'), inner as JsonSchema)
  return json
}

/** Most readers of OpenAPI know no Unicode classes; what the parser refuses it says itself. */
function withoutUnicodeClasses(key: string, value: unknown): unknown {
  if (key === 'pattern' && typeof value === 'string' && value.includes('\\p{')) return undefined
  if (key !== 'allOf' || !Array.isArray(value)) return value
  const left = value.filter((schema) => Object.keys(schema).length > 0)
  return left.length > 0 ? left : undefined
}

/** What a parameter takes. */
export const schemaOf = ({ schema, content }: Parameter): JsonSchema =>
  schema ?? content?.['application/json'].schema ?? {}

const namesIn = ({ path }: RestRoute) => [...path.matchAll(/\{(.+?)\}/g)].map(([, name = '']) => name)

function pathParameters(route: RestRoute, input: InputSchema | undefined): Parameter[] {
  return namesIn(route).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: input?.properties?.[name] ?? { type: 'string' },
  }))
}

function queryParameters(route: RestRoute, input: InputSchema | undefined): Parameter[] {
  const inPath = namesIn(route)
  return Object.entries(input?.properties ?? {})
    .filter(([name]) => !inPath.includes(name))
    .map(([name, schema]) => ({
      name,
      in: 'query',
      required: (input?.required ?? []).includes(name) && schema.default === undefined,
      ...(schema.type === 'object' ? { content: { 'application/json': { schema } } } : { schema }),
    }))
}

/** What the description of an action says that asks for a fresh factor; a test holds the two together. */
export const stepUpMark = 'Step-up.'

const stepUpHeader: Parameter = {
  name: 'Holdfast-Step-Up',
  in: 'header',
  required: false,
  description: 'The grantId from /api/auth/step-up: this action asks for a fresh factor.',
  schema: { type: 'string' },
}

const idempotencyHeader: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A new UUID for each request, and the same one when it is sent again: then it is done once. The answer of the first is kept for a day; 409 with Retry-After while it is being worked on, 422 when the key came with another input.',
  schema: { type: 'string', maxLength: 202 },
}

/** Problem details (RFC 9457); `code` tells programs what is wrong, and never changes. */
const problem: JsonSchema = {
  description: 'What went wrong (RFC 9457).',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What happened, in one sentence.' },
    code: { enum: Object.keys(errorStatus), description: 'For programs; it never changes.' },
    requestId: { type: 'string', description: 'Find the request in the log by it.' },
    traceId: { type: 'string', description: 'Find the trace by it, where one is kept.' },
    remedy: { type: 'string', description: 'What to do about it.' },
    retryAfterMs: { type: 'number', description: 'When another try makes sense, as Retry-After says it.' },
    details: { type: 'object', description: 'Facts, such as the fields that were wrong.' },
  },
}

const problemAnswer = {
  description: 'It was refused, or it failed.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const areaOf = (procedure: string) => procedure.split('.')[0] as string
