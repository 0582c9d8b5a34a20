import { AsyncLocalStorage } from 'node:async_hooks'

/** What log lines tell about the work that wrote them. */
export interface ScopeFields {
  requestId?: string
  /** A hash of the session's id; the id itself would name a row that signs in. */
  session?: string
  /** Id of the user. */
  user?: string
  /** Id of the migration run. */
  run?: string
  traceId?: string
}

interface Scope {
  /** One object for everything within a request, so that its end knows what was learnt on the way. */
  fields: ScopeFields
  /** The span that is open; server/tracing knows what it is. */
  span: unknown
}

/** Next evaluates modules more than once and shares globalThis alone. */
const shared = globalThis as typeof globalThis & { holdfastScope?: AsyncLocalStorage<Scope> }
shared.holdfastScope ??= new AsyncLocalStorage<Scope>()
const storage = shared.holdfastScope

/** Does work of which every log line tells `fields`, beside those of the work around it. */
export function inScope<T>(fields: ScopeFields, work: () => T): T {
  const outer = storage.getStore()
  return storage.run({ fields: { ...outer?.fields, ...fields }, span: outer?.span }, work)
}

/** The same for work that outlives what began it: nothing of the work around it is told. */
export function apart<T>(fields: ScopeFields, work: () => T): T {
  return storage.run({ fields, span: undefined }, work)
}

/** Adds what is known by now; outside of any scope it is nobody's. */
export function noteInScope(fields: ScopeFields): void {
  const scope = storage.getStore()
  if (scope) Object.assign(scope.fields, fields)
}

export function scopeFields(): Readonly<ScopeFields> {
  return storage.getStore()?.fields ?? {}
}

export function spanInScope(): unknown {
  return storage.getStore()?.span
}

/** Does work below a span; its fields are those of the work around it. */
export function withSpan<T>(span: unknown, work: () => T): T {
  return storage.run({ fields: storage.getStore()?.fields ?? {}, span }, work)
}
