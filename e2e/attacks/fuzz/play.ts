import { bearer } from '../../program'
import type { Operation, Role } from './document'
import type { Known } from './known'
import type { People, Person } from './people'
import { type Asked, asBatch, extras, overRest, overTrpc, signed } from './requests'
import { codeOf, parsed, type Tally } from './tally'
import type { Turn } from './turns'
import { type Answered, type openWire, told, type Wire } from './wire'

export interface Stage {
  operations: Operation[]
  others: string[]
  known: Known
  people: People
  wire: ReturnType<typeof openWire>
  tally: Tally
}

/** Who sends: one person of each role, so that what somebody does to the own session disturbs nobody else. */
export type Team = Record<Role, Person>

/** Sends one request, and judges what comes back. */
export async function take(stage: Stage, team: Team, turn: Turn): Promise<void> {
  const { wire, tally } = stage
  if (turn.kind === 'raw') {
    const answer = await wire.raw(turn.bytes)
    // A connection that ends without a word is an answer, too, to what is no HTTP.
    tally.count(answer.status === 0 ? 400 : answer.status)
    if (answer.status === 500)
      tally.failures.push(`raw ${JSON.stringify(turn.bytes.toString('latin1'))}\n  ${answer.text}`)
    return
  }
  const person = team[turn.role]
  const request = await requestOf(stage, person, turn)
  const answer = await wire.send(request)
  tally.count(answer.status)
  await judge(stage, person, turn, request, answer)
}

async function requestOf(stage: Stage, person: Person, turn: Exclude<Turn, { kind: 'raw' }>): Promise<Wire> {
  const own = () => bearer(person.accessToken)
  if (turn.kind === 'stream') {
    const headers: Record<string, string> = turn.after === null ? {} : { 'last-event-id': turn.after }
    return {
      method: 'GET',
      path: '/api/trpc/system.live?input=%7B%7D',
      headers: { ...own(), ...headers },
      body: null,
    }
  }
  if (turn.kind === 'batch') return signed(asBatch(turn.asked), own())
  if (turn.kind === 'broken') {
    const wire = { ...turn.wire, headers: { ...own(), ...turn.wire.headers } }
    return turn.breaking(wire)
  }
  const { operation } = turn.asked
  const asked = { ...turn.asked, input: suited(turn.asked, person) }
  const granted = operation.stepUp && operation.roles.includes(turn.role)
  // A password that begins an enrolment is no part of what is granted.
  const of = operation.name.startsWith('account.begin') ? {} : (asked.input ?? {})
  const grant = granted ? await stage.people.stepUp(person, operation.name, of) : {}
  const plain = (turn.over === 'REST' ? overRest(asked) : null) ?? overTrpc(asked)
  const keyed = turn.more && operation.method === 'POST' && !operation.name.startsWith('auth.')
  return signed(plain, { ...(keyed ? extras() : {}), ...own(), ...grant })
}

/** What somebody knows of the own account. */
function suited({ operation: { name }, input }: Asked, { password, refreshToken }: Person): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  if (name === 'account.changePassword') return { ...input, current: password }
  if (/^account\.begin/.test(name) && 'password' in input) return { ...input, password }
  return name === 'auth.refresh' ? { ...input, refreshToken } : input
}

async function judge(
  { people, known, tally }: Stage,
  person: Person,
  turn: Exclude<Turn, { kind: 'raw' }>,
  request: Wire,
  { status, text, lost }: Answered,
): Promise<void> {
  const answer = parsed(text)
  const parts = turn.kind === 'batch' && Array.isArray(answer) ? answer : [answer]
  const codes = parts.map(codeOf)
  const bad =
    codes.find((code) => tally.failed(status, code)) ?? (tally.failed(status, codes[0]) ? 'lost' : undefined)
  const internal = text.indexOf('"code":"INTERNAL"')
  if (bad !== undefined || internal >= 0) {
    const part = text.slice(Math.max(0, internal - 300)).slice(0, 900)
    tally.failures.push(
      `${turn.kind} as ${turn.role}: ${status} ${lost ?? ''}\n  ${told(request)}\n  → ${part}`,
    )
  }
  if (turn.kind === 'batch') {
    for (const [at, { operation }] of turn.asked.entries()) {
      if (status < 500 && parts.length === turn.asked.length) tally.reach(operation.name, codes[at])
    }
  }
  if (turn.kind === 'valid') await learn(turn.asked, answer)
  if (codes.some((code) => over.has(code ?? '')) && turn.kind !== 'broken') await signIn()

  async function signIn(): Promise<void> {
    await people.signIn(person)
    known.spare(person.userId)
  }

  async function learn({ operation: { name } }: Asked, said: unknown): Promise<void> {
    const [code] = codes
    if (status !== 404 || code === 'NOT_FOUND') tally.reach(name, code)
    if (status >= 300) return
    const result = (said as { result?: { data?: unknown } } | undefined)?.result
    const data = (result ? result.data : said) as { tokens?: object } | undefined
    known.learn(name, data)
    if (name === 'auth.refresh' || name === 'auth.stepUp') Object.assign(person, data?.tokens)
    if (name === 'account.changePassword') person.password = JSON.parse(String(request.body)).password
    if (name === 'auth.signOut') await signIn()
  }
}

/** What says that the session is over, or doubted. */
const over = new Set([
  'UNAUTHENTICATED',
  'SESSION_ENDED',
  'FRESH_FACTOR_REQUIRED',
  'PASSWORD_CHANGE_REQUIRED',
])
