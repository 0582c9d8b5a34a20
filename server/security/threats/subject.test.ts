import { expect, it } from 'vitest'
import { subjectWords } from './subject'

const emailOf = (id: string) => (id === 'id-1' ? 'ana@example.org' : null)

it.each([
  ['address:203.0.113.9', 'the address 203.0.113.9'],
  ['address:203.0.113.9|user:id-1', 'the address 203.0.113.9 and the user ana@example.org'],
  [
    'address:2001:db8:1:2::/64|account:ben@example.org',
    'the address 2001:db8:1:2::/64 and the account ben@example.org',
  ],
  ['network:203.0.113.0/24', 'the network 203.0.113.0/24'],
  ['user:gone', 'the user gone'],
  ['source:shop|user:id-1', 'the user id-1, as shop reports'],
  ['audit log', 'the audit log'],
  ['cache', 'the cache'],
  ['replica:127.0.0.1:5432', 'the replica 127.0.0.1:5432'],
])('says %s as %s', (subject, words) => {
  expect(subjectWords(subject, emailOf)).toBe(words)
})
