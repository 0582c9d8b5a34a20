import type { AnyProcedure, AnyRouter } from '@trpc/server'

/** Calls a procedure of a router's caller by its name, e.g. `migration.run`. */
export function callNamed(caller: unknown, procedure: string, input: unknown): Promise<unknown> {
  type Branch = Record<string, unknown>
  const named = procedure.split('.').reduce((at, name) => (at as Branch)[name], caller)
  return (named as (input: unknown) => Promise<unknown>)(input)
}

/** Whether a router has an event stream of this name. */
export function isSubscription(router: AnyRouter, name: string): boolean {
  const procedures = router._def.procedures as Record<string, AnyProcedure>
  return Object.hasOwn(procedures, name) && procedures[name]?._def.type === 'subscription'
}
