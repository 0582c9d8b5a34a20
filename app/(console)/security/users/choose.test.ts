import { describe, expect, test } from 'vitest'
import type { User } from '@/components/security/words'
import { passes, sorted, type UserFilter } from './choose'

const user = (name: string, rest: Partial<User> = {}): User => ({
  id: name,
  email: `${name.toLowerCase()}@example.org`,
  name,
  role: 'viewer',
  state: 'active',
  factors: [],
  sessions: 0,
  mustChangePassword: false,
  createdAt: 0,
  lastSignInAt: null,
  invitedUntil: null,
  ...rest,
})
const ana = user('Ana', { role: 'admin', sessions: 2, lastSignInAt: 30 })
const bo = user('Bo', { role: 'operator', sessions: 2, state: 'disabled', lastSignInAt: 20 })
const cy = user('Cy', { state: 'invited' })
const all = [cy, ana, bo]
const names = (users: User[]) => users.map(({ name }) => name)

describe('the filter of users', () => {
  const chosen = (filter: Partial<UserFilter>) =>
    names(all.filter((each) => passes({ text: '', role: null, state: null, ...filter }, each)))

  test('lets everybody through when nothing is asked', () => {
    expect(chosen({})).toEqual(['Cy', 'Ana', 'Bo'])
  })
  test('looks for the text in name and address, whatever its case and blanks around it', () => {
    expect(chosen({ text: ' ANA' })).toEqual(['Ana'])
    expect(chosen({ text: 'bo@exa' })).toEqual(['Bo'])
    expect(chosen({ text: 'example' })).toEqual(['Cy', 'Ana', 'Bo'])
    expect(chosen({ text: 'nobody' })).toEqual([])
  })
  test('asks for role and state at once', () => {
    expect(chosen({ role: 'operator', state: 'disabled' })).toEqual(['Bo'])
    expect(chosen({ role: 'admin', state: 'disabled' })).toEqual([])
  })
})

describe('the order of users', () => {
  test('is by name, either way', () => {
    expect(names(sorted(all, { by: 'name', direction: 'asc' }))).toEqual(['Ana', 'Bo', 'Cy'])
    expect(names(sorted(all, { by: 'name', direction: 'desc' }))).toEqual(['Cy', 'Bo', 'Ana'])
  })
  test('puts roles by what they may do', () => {
    expect(names(sorted(all, { by: 'role', direction: 'asc' }))).toEqual(['Cy', 'Bo', 'Ana'])
  })
  test('puts who never signed in last when the latest come first', () => {
    expect(names(sorted(all, { by: 'lastSignIn', direction: 'desc' }))).toEqual(['Ana', 'Bo', 'Cy'])
  })
  test('names equal ones alphabetically, whichever way it goes', () => {
    expect(names(sorted([bo, ana, cy], { by: 'sessions', direction: 'desc' }))).toEqual(['Ana', 'Bo', 'Cy'])
    expect(names(sorted([bo, ana, cy], { by: 'sessions', direction: 'asc' }))).toEqual(['Cy', 'Ana', 'Bo'])
  })
  test('falls back to the name for an order that nobody knows', () => {
    expect(names(sorted(all, { by: '__proto__', direction: 'asc' }))).toEqual(['Ana', 'Bo', 'Cy'])
  })
})
