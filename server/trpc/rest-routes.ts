import type { AnyProcedure, AnyRouter } from '@trpc/server'
import type { ProcedureMeta } from './init'

type Method = 'GET' | 'POST'

/** A procedure at an address, as its `meta.rest` says. */
export interface RestRoute {
  method: Method
  /** Below /api, e.g. `/infrastructure/migration/status/{id}`. */
  path: string
  /** The procedure's name, e.g. `migration.run`. */
  procedure: string
  /** Whether it has an input at all, be it one without fields. */
  takesInput: boolean
  /** The types of the input's fields, by name: `string`, `number`, `string[]` … */
  fields: Record<string, string>
}

/**
 * Every procedure of a router at its address: where its `meta` says, or by its name, `security.blocks.add` at
 * `/infrastructure/security/blocks/add`. Event streams have none. Throws where a GET would change something, or
 * takes what no query string can hold.
 */
export function restRoutes(router: AnyRouter): RestRoute[] {
  const procedures = Object.entries(router._def.procedures as Record<string, AnyProcedure>)
  return procedures.flatMap(([procedure, { _def }]) => {
    const method = methods[_def.type as keyof typeof methods]
    const { rest = { method, path: pathOf(procedure) } } = (_def.meta ?? {}) as Partial<ProcedureMeta>
    if (!method || !rest) return []
    if (rest.method !== method)
      throw new Error(`${procedure} is a ${_def.type}: it cannot be a ${rest.method}.`)
    const { inputs } = _def as unknown as { inputs: Schema[] }
    const fields = fieldsOf(inputs)
    const nested = Object.entries(fields).find(([, type]) => method === 'GET' && !inQuery.test(type))
    if (nested) throw new Error(`${procedure} takes ${nested[0]}, which no query string can hold.`)
    return [{ ...rest, procedure, takesInput: inputs.length > 0, fields }]
  })
}

/** `auth` stands by itself, everything else below infrastructure. */
function pathOf(procedure: string): string {
  const name = procedure.replaceAll('.', '/').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return name.startsWith('auth/') ? `/${name}` : `/infrastructure/${name}`
}

/** An object stands there as JSON. */
const inQuery = /^((string|number|int|boolean|enum|literal)(\[\])?|object)$/

const methods = { query: 'GET', mutation: 'POST' } as const

/** What a request's path finds: the routes there, whatever their method, and the values of `{name}`. */
export function findRoutes(routes: RestRoute[], path: string) {
  const found = routes.flatMap((route) => {
    const values = matchPath(route.path, path)
    return values ? [{ route, values }] : []
  })
  const allow = found.flatMap(({ route: { method } }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return { found, allow: [...allow, 'OPTIONS'].join(', ') }
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return null
  const values: [string, string][] = []
  for (const [at, part] of wanted.entries()) {
    const name = /^\{(.+)\}$/.exec(part)?.[1]
    const value = given[at] as string
    if (name && value !== '') values.push([name, value])
    else if (part !== value) return null
  }
  return Object.fromEntries(values)
}

interface Schema {
  def: {
    type: string
    innerType?: Schema
    in?: Schema
    element?: Schema
    shape?: Record<string, Schema>
    options?: Schema[]
  }
}

function fieldsOf(inputs: Schema[]): Record<string, string> {
  return Object.fromEntries(inputs.flatMap(fieldsOfOne))
}

/** Those of a union are the fields of all its options. */
function fieldsOfOne({ def }: Schema): [string, string][] {
  if (def.options) return def.options.flatMap(fieldsOfOne)
  return Object.entries(def.shape ?? {}).map(([name, schema]) => [name, typeOf(schema)])
}

/** The type behind optional, default and nullable, and that of a list's elements. */
function typeOf({ def }: Schema): string {
  const inner = def.innerType ?? def.in
  if (inner) return typeOf(inner)
  // A choice that text can make stands in a query as text.
  if (def.options?.every((option) => inQuery.test(typeOf(option)))) return 'string'
  return def.element ? `${typeOf(def.element)}[]` : def.type
}
