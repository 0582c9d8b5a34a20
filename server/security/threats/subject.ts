import { eq } from 'drizzle-orm'
import { q, type Tx, type Work } from '@/db/unit'

/** What the first word of a part of a subject stands for; the others are said as they are. */
const kinds: Record<string, string> = {
  address: 'the address',
  network: 'the network',
  account: 'the account',
  user: 'the user',
  session: 'the session',
  event: 'the event',
}

/**
 * The subject of a finding in plain words: `address:203.0.113.9|user:ID` is `the address 203.0.113.9 and the user
 * ana@example.org`. `emailOf` names a user of the console; null where there is none of that id.
 */
export function subjectWords(subject: string, emailOf: (userId: string) => string | null): string {
  const parts = subject.split('|').map((part) => {
    const colon = part.indexOf(':')
    const [kind, value] = [part.slice(0, colon), part.slice(colon + 1)]
    return { kind, value, part }
  })
  const source = parts.find(({ kind }) => kind === 'source')?.value
  const words = parts
    .filter(({ kind }) => kind !== 'source')
    .map(({ kind, value, part }) => {
      const word = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
      if (!word) return `the ${part.replace(':', ' ')}`
      return `${word} ${(kind === 'user' && source === undefined && emailOf(value)) || value}`
    })
  return words.join(' and ') + (source === undefined ? '' : `, as ${source} reports`)
}

/** The same, with users looked up in the store. */
export function* nameSubject(tx: Tx, subject: string): Work<string> {
  const { users } = tx.tables
  const emails = new Map<string, string>()
  for (const [, id] of subject.matchAll(/(?:^|\|)user:([^|]+)/g)) {
    const [user] = yield* q(
      tx.db
        .select({ email: users.email })
        .from(users)
        .where(eq(users.id, id as string)),
    )
    if (user) emails.set(id as string, user.email)
  }
  return subjectWords(subject, (id) => emails.get(id) ?? null)
}
