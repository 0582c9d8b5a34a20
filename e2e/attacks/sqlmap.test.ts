import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { bearer, enrolByProgram, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'

const everything = process.env.HOLDFAST_ALL !== undefined
vi.setConfig({ testTimeout: everything ? 7_200_000 : 600_000, hookTimeout: everything ? 900_000 : 180_000 })

const run = promisify(execFile)
const installed = (() => {
  try {
    execFileSync('sqlmap', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** What takes text that comes near SQL; HOLDFAST_ALL=1 tries every operation of the document instead. */
const short = ['security.events.list', 'security.events.histogram', 'database.statements', 'migration.log']

/** What would end the attack itself: the key, the session, the store. */
const spared =
  /^(auth\.|account\.|security\.(revokeApiKey|disableUser|setRole|rotateSigningKeys)|migration\.(switch|cutOver))/

interface JsonSchema {
  [key: string]: unknown
}

interface Operation {
  operationId: string
  parameters: { name: string; in: string; schema?: JsonSchema }[]
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } }
}

const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('sqlmap, signed in and from a trusted source', () => {
  needsPostgres()
  beforeEach((context) => context.skip(!installed, 'sqlmap is not installed: apt-get install sqlmap'))

  let console: RunningConsole
  let key: string
  let paths: Record<string, Record<string, Operation>>
  let schemas: Record<string, JsonSchema>

  beforeAll(async () => {
    if (!installed) return
    const database = await createDatabase()
    undo.push(database.drop)
    const { hostname, port, username, password } = new URL(database.url)
    console = await startConsole({
      env: {
        TWO_FA_WINDOW: '10',
        // An address is trusted by the console itself; its user still has a limit of his own.
        RATE_LIMIT_USER: 'off',
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: database.database },
        ...{ DB_USER: username, DB_PASSWORD: decodeURIComponent(password) },
      },
    })
    undo.push(() => console.stop())
    let token = (await setUpByProgram(console)).accessToken
    const { app } = await enrolByProgram(console.url, token, 10)
    const { call, post, get } = program(console)
    /** Does what asks for a fresh factor. */
    async function privileged(action: string, input: object) {
      const granted = await post('/api/auth/step-up', { action, input, code: app.next() }, bearer(token))
      token = granted.body.tokens.accessToken
      return call(action, input, { ...bearer(token), 'holdfast-step-up': granted.body.grantId })
    }
    const trusted = await privileged('security.trusted.add', {
      ...{ network: '127.0.0.0/8', owner: 'tests', reason: 'attacks on the code behind the limits' },
      expiresAt: null,
    })
    expect(trusted.status).toBe(200)
    const permissions = ['system', 'database', 'cache', 'security', 'migration'].flatMap((area) =>
      ['read', 'operate', 'manage'].map((right) => `${area}:${right}`),
    )
    key = (await privileged('security.createApiKey', { name: 'sqlmap', permissions, days: 1 })).body.key
    const document = (await get('/api/openapi.json')).body
    paths = document.paths
    schemas = document.components.schemas
  })

  it('finds nothing that can be injected', async () => {
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )
    const chosen = operations.filter(({ operation: { operationId } }) =>
      everything ? !spared.test(operationId) : short.includes(operationId),
    )
    expect(chosen.length).toBeGreaterThanOrEqual(short.length)
    let tried = 0
    const found: Record<string, string[]> = {}
    for (const { path, method, operation } of chosen) {
      const attack = attackOn(path, method, operation)
      if (!attack) continue
      tried++
      const holes = await injectable(attack).catch((error: Error) => [error.message])
      if (holes.length > 0) found[operation.operationId] = holes
    }
    expect(found).toEqual({})
    expect(tried).toBeGreaterThan(2)
  })

  /** Sqlmap's arguments for one operation; undefined where it takes nothing. */
  function attackOn(
    path: string,
    method: string,
    { parameters, requestBody }: Operation,
  ): string[] | undefined {
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    const filled = inPath.reduce(
      (at, { name, schema = {} }) => at.replace(`{${name}}`, `${exampleOf(schema)}*`),
      path,
    )
    // An object of a query is the place of a page, and no text.
    const query = parameters.filter((parameter) => parameter.in === 'query' && parameter.schema)
    const search = query.map(
      ({ name, schema = {} }) => `${name}=${encodeURIComponent(String(exampleOf(schema)))}`,
    )
    const url = `${console.url}${filled}${search.length > 0 ? `?${search.join('&')}` : ''}`
    const body = requestBody?.content['application/json'].schema
    if (method === 'get') return inPath.length + query.length > 0 ? ['-u', url] : undefined
    if (!body) return undefined
    const headers = ['--headers', 'Content-Type: application/json']
    return ['-u', url, '--method', 'POST', '--data', JSON.stringify(exampleOf(body)), ...headers]
  }

  /** A value that a schema takes, with every field: each of them is attacked. */
  function exampleOf(schema: JsonSchema): unknown {
    const { $ref, anyOf, oneOf, const: only, enum: words, type, ...rest } = schema
    if (typeof $ref === 'string') return exampleOf(schemas[$ref.split('/').at(-1) as string] ?? {})
    if (only !== undefined) return only
    if (Array.isArray(words)) return words[0]
    const [option] = (anyOf ?? oneOf ?? []) as JsonSchema[]
    if (option) return exampleOf(option)
    if (type === 'object') {
      const properties = Object.entries((rest.properties ?? {}) as Record<string, JsonSchema>)
      return Object.fromEntries(properties.map(([name, inner]) => [name, exampleOf(inner)]))
    }
    if (type === 'array') return [exampleOf((rest.items ?? {}) as JsonSchema)]
    if (type === 'boolean') return true
    if (type === 'number' || type === 'integer') return Math.max(1, Number(rest.minimum ?? 1))
    if (rest.format === 'uuid') return '00000000-0000-4000-8000-000000000000'
    return rest.format === 'email' ? 'you@example.org' : '10.0.0.1'
  }

  /**
   * What sqlmap says can be injected, once it has looked again: what merely appears to be so is a guess from answers that
   * differ, such as those of a server that is away. Throws where it gave up before it had tried.
   */
  async function injectable(attack: string[]): Promise<string[]> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlmap-'))
    try {
      const { stdout } = await run(
        'sqlmap',
        [
          ...attack,
          ...['--auth-type', 'bearer', '--auth-cred', key],
          ...['--batch', '--disable-coloring', '--flush-session', '--output-dir', folder],
          // The database is known; what waits for time is left to the long run.
          ...['--dbms', 'postgresql', '--technique', everything ? 'BEUSTQ' : 'BEU'],
          ...['--level', '1', '--risk', '1', '--threads', '2', '--ignore-code', '400,404,409,422'],
        ],
        { maxBuffer: 64 * 1024 ** 2 },
      )
      const found = stdout
        .split('\n')
        .filter((line) => /is vulnerable|identified the following injection point/.test(line))
      const ended = /all tested parameters do not appear to be injectable|no parameter\(s\) found/.test(
        stdout,
      )
      if (!ended && found.length === 0) throw new Error(`sqlmap gave up:\n${stdout.slice(-2_000)}`)
      return found
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
})
