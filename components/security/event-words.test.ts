import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventInWords, eventWords } from './event-words'

const server = join(import.meta.dirname, '../../server')
const subjects = 'authn|authz|excess|input|malicious|privilege|sensitive|sequence|session|sys|upload|user'
const name = new RegExp(`['"\`]((?:${subjects})_[a-z_]+)['"\`]`, 'g')

/** Words with an underscore that begin like an event and are none: indexes and constraints of tables. */
const none = new Set(['session_by_id', 'user_id', 'session_id', 'user_agent'])

function* namesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'testing') yield* namesIn(path)
    } else if (/\.ts$/.test(entry.name) && !entry.name.endsWith('.test.ts')) {
      for (const [, found] of readFileSync(path, 'utf8').matchAll(name)) yield found as string
    }
  }
}

describe('eventInWords', () => {
  it('has words for every event that the console writes', () => {
    const names = new Set(namesIn(server))
    expect(names.size).toBeGreaterThan(60)
    expect([...names].filter((each) => !none.has(each) && !(each in eventWords))).toEqual([])
  })

  it('tells one that it does not know by its subject', () => {
    expect(eventInWords('session_handed_over')).toBe('Session: handed over')
    expect(eventInWords('constructor')).toBe('constructor')
    expect(eventInWords('nonsense_event')).toBe('nonsense_event')
  })

  it('says the same of no two events', () => {
    const words = Object.values(eventWords)
    expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([])
  })
})
