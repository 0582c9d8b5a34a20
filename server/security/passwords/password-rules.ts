import { setImmediate as pause } from 'node:timers/promises'
import type { ZxcvbnFactory, ZxcvbnResult } from '@zxcvbn-ts/core'
import { HoldfastError } from '@/server/errors'
import { passwordLength } from './passwords'

/** Whose password it is: it may not be made of this. */
export interface Owner {
  email: string
  name?: string | undefined
}

/** Guesses, as a power of ten, below which a password falls to somebody who tries the usual ones first. */
const leastGuesses = 10

/** The estimate's cost grows with the square of the length, so it looks at this many characters at a time. */
const windowLength = 32

/**
 * Refuses a password that is too short or that attackers try early (NIST SP 800-63B-4, 3.1.1.2): common ones by an
 * offline list, repeats, rows of keys, the owner's own name and address. There are no rules on kinds of characters.
 * Throws BAD_INPUT with the reason at the field `password`.
 */
export async function requireGoodPassword(password: string, owner: Owner): Promise<void> {
  const fault = await faultOf(password, owner)
  if (fault === null) return
  throw new HoldfastError('BAD_INPUT', {
    message: `The password does not do: ${fault}.`,
    remedy: 'Four or more words that nobody would put together are easy to remember and hard to guess.',
    details: { issues: [{ path: 'password', message: fault }] },
  })
}

async function faultOf(password: string, owner: Owner): Promise<string | null> {
  const text = password.normalize('NFKC')
  const { length } = [...text]
  if (length < passwordLength.least) return `use at least ${passwordLength.least} characters`
  if (length > passwordLength.most) return `use at most ${passwordLength.most} characters`
  const words = ownWords(owner)
  if (isMostly(text, words)) {
    return 'use something else than your name, your e-mail address or “holdfast”, with other words around'
  }
  const period = periodOf(text)
  const once = text.slice(0, period)
  if (period * 2 <= text.length && period < passwordLength.least) {
    return 'do not repeat the same characters; use more words instead'
  }
  return weakness(once, words)
}

/** Words that attackers try first on this user: name, address and their parts, and the console's name. */
function ownWords({ email, name = '' }: Owner): string[] {
  const [local = '', domain = ''] = plain(email).split('@')
  const parts = [email, local, domain, name, ...local.split(/[^\p{L}]+/u), ...name.split(/\s+/), 'holdfast']
  const words = [...parts, domain.split('.').at(-2) ?? ''].map(plain)
  return [...new Set(words.filter((word) => word.length >= 3))].sort((a, b) => b.length - a.length)
}

const plain = (text: string) => text.normalize('NFKC').trim().toLowerCase()

/** Whether fewer than eight characters are left of a text without the words. */
function isMostly(text: string, words: string[]): boolean {
  const whole = plain(text)
  const rest = words.reduce((left, word) => left.replaceAll(word, ' '), whole)
  return rest !== whole && rest.replaceAll(' ', '').length < 8
}

/** Length of the part that the whole text repeats, by the failure function of Knuth, Morris and Pratt. */
function periodOf(text: string): number {
  const border = new Array<number>(text.length).fill(0)
  for (let at = 1, matched = 0; at < text.length; at++) {
    while (matched > 0 && text[at] !== text[matched]) matched = border[matched - 1] ?? 0
    if (text[at] === text[matched]) matched++
    border[at] = matched
  }
  return text.length - (border.at(-1) ?? 0)
}

/** Adds up the guesses of each part until they are enough, and lets others run between two parts. */
async function weakness(text: string, words: string[]): Promise<string | null> {
  const estimator = await prepared()
  const seen = new Set<string>()
  const found: ZxcvbnResult[] = []
  let guesses = 0
  for (let start = 0; start < text.length && guesses < leastGuesses; start += windowLength) {
    const part = text.slice(start, start + windowLength)
    if (seen.has(part)) continue
    seen.add(part)
    if (start > 0) await pause()
    const result = estimator.check(part, words)
    found.push(result)
    guesses += result.guessesLog10
  }
  return guesses < leastGuesses ? reasonOf(found) : null
}

const reasons: Record<string, string> = {
  repeat: 'do not repeat the same characters; use more words instead',
  sequence: 'do not use rows of letters or digits such as abc or 123; use more words instead',
  spatial: 'do not use rows of keys such as qwerty; use more words instead',
  date: 'do not use dates; use more words instead',
}

/** What most of the characters come from. */
function reasonOf(results: ZxcvbnResult[]): string {
  const weights = new Map<string, number>()
  for (const { pattern, token } of results.flatMap((result) => result.sequence)) {
    weights.set(pattern, (weights.get(pattern) ?? 0) + token.length)
  }
  const [heaviest = ''] = [...weights].sort(([, a], [, b]) => b - a)[0] ?? []
  return reasons[heaviest] ?? 'this is one of the passwords that attackers try first; use more words instead'
}

let estimating: Promise<ZxcvbnFactory> | undefined

function prepared(): Promise<ZxcvbnFactory> {
  estimating ??= openEstimator()
  return estimating
}

/** Loads the lists before somebody waits for them. */
export async function preparePasswordRules(): Promise<void> {
  await prepared()
}

async function openEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory: Factory }, { dictionary, adjacencyGraphs }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  const { qwerty, qwertz, azerty } = adjacencyGraphs
  return new Factory({ dictionary, graphs: { qwerty, qwertz, azerty }, l33tMaxSubstitutions: 4 })
}
