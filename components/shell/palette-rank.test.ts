import { expect, it } from 'vitest'
import type { PaletteEntry } from './palette'
import { ranked } from './palette-rank'

const entry = (group: string, label: string, more: Partial<PaletteEntry> = {}) =>
  ({ id: label, group, label, href: '/', ...more }) as PaletteEntry

const entries = [
  entry('Go to', 'Overview'),
  entry('Go to', 'Database: Index advice'),
  entry('Go to', 'Security: Users and roles'),
  entry('Actions', 'Invite a user'),
  entry('Actions', 'Clear the cache', { keywords: ['flush'] }),
]
const said = (text: string, more: PaletteEntry[] = []) =>
  ranked([...entries, ...more], text).map(({ name, entries }) => [name, ...entries.map(({ label }) => label)])

it('shows everything in its own order while nothing is typed', () => {
  expect(said(' ')).toEqual([
    ['Go to', 'Overview', 'Database: Index advice', 'Security: Users and roles'],
    ['Actions', 'Invite a user', 'Clear the cache'],
  ])
})

it('finds by a word within, by another word, and by nothing far-fetched', () => {
  expect(said('users')).toEqual([['Go to', 'Security: Users and roles']])
  expect(said('flu')).toEqual([['Actions', 'Clear the cache']])
  expect(said('zzz')).toEqual([])
})

it('puts what the server found behind a page of that name, and before chance letters', () => {
  const found = [entry('Users', 'Ina Dexter', { found: true })]
  expect(said('index', found)).toEqual([
    ['Go to', 'Database: Index advice'],
    ['Users', 'Ina Dexter'],
  ])
  expect(said('dex', found)).toEqual([
    ['Users', 'Ina Dexter'],
    ['Go to', 'Database: Index advice'],
  ])
})
