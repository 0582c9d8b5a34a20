import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { KeyedRequest, Store } from '@/db/store'
import type { Clock } from './clock'
import { HoldfastError } from './errors'
import {
  claim,
  type Kept,
  type KeptState,
  keepAnswer,
  keepInside,
  letGo,
  readKept,
} from './idempotency-units'
import type { Log } from './log'
import type { Vault } from './vault'

/** A request that came with an Idempotency-Key. */
export interface IdempotentRequest {
  /** SHA-256 of who asks, which procedure and the key, base64url. */
  id: string
  /** What it asks for, as text that need not be kept secret from here. */
  input: string
  requestId: string
  /**
   * Where the answer is known: `nothing` is answered, or what the changing unit answers, so that it commits with the
   * change; `later`, once the procedure has ended. `claimed` work does more than the store can roll back.
   */
  answer: 'nothing' | 'unit' | 'later' | 'claimed'
}

export interface Idempotency {
  /**
   * Does the work of a request once: sent again within a day, it gets the answer of the first and changes nothing.
   * What failed may be tried again. Throws CHECK_FAILED when the key came with another input before, IN_PROGRESS
   * while the same request is being worked on, CONFLICT when it was done and its answer is lost.
   */
  once<T>(request: IdempotentRequest, work: () => Promise<T>): Promise<{ answer: T; again: boolean }>
}

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  /** Name of this process in the register of consoles, and who of those lives. */
  instance: string
  living(): Promise<string[]>
}

/** Whoever comes while the same request is worked on waits so long for its answer. */
const WAITS_MS = 1_000
const LOOKS_MS = 50
/** No request takes longer; one whose claim could not be given back blocks its key until then. */
const LONGEST_CLAIM_MS = 3_600_000

/** Opens what makes requests repeatable. How, and what a crash leaves at which point: docs/decisions/0023. */
export function openIdempotency(deps: Deps): Idempotency {
  const { store, vault, clock, log, instance } = deps
  const seal = (id: string, answer: unknown) => vault.seal(JSON.stringify({ answer }), contextOf(id))
  const opened = (id: string, sealed: string) => JSON.parse(vault.open(sealed, contextOf(id))).answer

  async function once<T>(request: IdempotentRequest, work: () => Promise<T>) {
    const { id, answer: known } = request
    const inputHash = vault.mac('idempotency', request.input).toString('base64url')
    const before = await settled(id, inputHash)
    const first = before && answerOf<T>(id, before)
    if (first) return first

    const attempt = randomUUID()
    const row = () => ({ id, inputHash, attempt, instance, now: clock.now() })
    if (known === 'claimed' && !(await store.run(claim, { ...row(), over: before?.attempt ?? null })))
      throw inProgress()
    const mine = keyedBy(request.requestId, known, (state, output) => ({
      ...row(),
      state,
      sealed: state === 'answered' ? seal(id, output) : null,
    }))
    try {
      const answer = await store.keyed(mine, work)
      mine.over()
      if (!mine.holds(answer)) {
        // The change is made and its answer on its way, whether it can be kept or not.
        await store
          .run(keepAnswer, { ...row(), state: 'answered', sealed: seal(id, answer) })
          .catch((error: unknown) => log.warn({ error, requestId: request.requestId }, 'answer not kept'))
      }
      return { answer, again: false }
    } catch (error) {
      mine.over()
      const theirs = await after(request, attempt).catch(() => null)
      if (!theirs || theirs.attempt === attempt) throw error
      // Somebody sent the same at the same time and was first: that is why this one failed.
      const kept = await settled(id, inputHash)
      const answer = kept && answerOf<T>(id, kept)
      if (!answer) throw error
      return answer
    }
  }

  function answerOf<T>(id: string, kept: Kept): { answer: T; again: boolean } | null {
    if (kept.state === 'made') throw answerLost()
    if (kept.state === 'begun') return null
    return { answer: opened(id, kept.sealed as string) as T, again: true }
  }

  /** What is kept of a request that nobody works on; null when nothing was done yet. */
  async function settled(id: string, inputHash: string): Promise<Kept | null> {
    for (const until = performance.now() + WAITS_MS; ; await delay(LOOKS_MS)) {
      const kept = await readKept(store, id, clock.now())
      if (kept && kept.inputHash !== inputHash) throw usedBefore()
      if (!kept || kept.state === 'answered') return kept
      const late = kept.createdAt < clock.now() - LONGEST_CLAIM_MS
      if (late || !(await deps.living()).includes(kept.instance)) return kept
      if (performance.now() > until) throw inProgress()
    }
  }

  /** After a failure: what another attempt made of the same request. An own claim is given back. */
  async function after({ id, answer }: IdempotentRequest, attempt: string): Promise<Kept | null> {
    if (answer === 'claimed') await store.run(letGo, { id, attempt })
    return readKept(store, id, clock.now())
  }

  return { once }
}

const contextOf = (id: string) => `idempotency:${id}`

type Row = Parameters<typeof keepInside>[1]

/** What the store asks while it runs the units of a request. */
function keyedBy(
  requestId: string,
  known: IdempotentRequest['answer'],
  rowOf: (state: KeptState, output: unknown) => Row,
) {
  let over = false
  let held: string | undefined
  const state = { nothing: 'answered', unit: 'answered', later: 'made', claimed: 'begun' } as const
  const answerOf = (output: unknown) => (known === 'unit' ? output : undefined)
  const request: KeyedRequest = {
    requestId,
    *keep(tx, output) {
      // What a request leaves running in the background is no part of its answer.
      if (over) return
      if (!(yield* keepInside(tx, rowOf(state[known], answerOf(output))))) throw inProgress()
    },
    kept(output) {
      if (state[known] === 'answered') held = JSON.stringify({ answer: answerOf(output) })
    },
  }
  return {
    ...request,
    over: () => {
      over = true
    },
    /** Whether this very answer was kept with the change. */
    holds: (answer: unknown) => held === JSON.stringify({ answer }),
  }
}

function usedBefore(): HoldfastError {
  return new HoldfastError('CHECK_FAILED', {
    message: 'This Idempotency-Key came with another request before.',
    remedy: 'Send the same request again as it was, or this one with a new key.',
  })
}

function inProgress(): HoldfastError {
  return new HoldfastError('IN_PROGRESS', {
    message: 'A request with this Idempotency-Key is being worked on.',
    remedy: 'Send it again in a moment, with the same key: it gets the answer of the first.',
    retryAfterMs: 1_000,
  })
}

function answerLost(): HoldfastError {
  return new HoldfastError('CONFLICT', {
    message: 'This request was done, but its answer was lost with the console that worked on it.',
    remedy: 'Look what there is now. Where a secret was to be shown once, make a new one with a new key.',
    details: { done: true },
  })
}
