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
  /** The types of the input's fields, by name: `string`, `number` … */
  fields: Record<string, string>
}

/** Every procedure of a router that has an address. Throws where a GET would change something. */
export function restRoutes(router: AnyRouter): RestRoute[] {
  const procedures = Object.entries(router._def.procedures as Record<string, AnyProcedure>)
  return procedures.flatMap(([procedure, { _def }]) => {
    const { rest } = (_def.meta ?? {}) as Partial<ProcedureMeta>
    if (!rest) return []
    if (rest.method !== methods[_def.type as keyof typeof methods])
      throw new Error(`${procedure} is a ${_def.type}: it cannot be a ${rest.method}.`)
    return [
      {
        method: rest.method,
        path: rest.path,
        procedure,
        fields: fieldsOf((_def as unknown as { inputs: Schema[] }).inputs),
      },
    ]
  })
}

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
  def: { type: string; innerType?: Schema; shape?: Record<string, Schema>; options?: Schema[] }
}

function fieldsOf(inputs: Schema[]): Record<string, string> {
  return Object.fromEntries(inputs.flatMap(fieldsOfOne))
}

/** Those of a union are the fields of all its options. */
function fieldsOfOne({ def }: Schema): [string, string][] {
  if (def.options) return def.options.flatMap(fieldsOfOne)
  return Object.entries(def.shape ?? {}).map(([name, schema]) => [name, typeOf(schema)])
}

/** The type behind optional, default and nullable. */
function typeOf({ def }: Schema): string {
  return def.innerType ? typeOf(def.innerType) : def.type
}
