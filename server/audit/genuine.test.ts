import { expect, it } from 'vitest'
import { type AuditRow, genesis } from './chain'
import { isGenuine } from './genuine'
import { append, rowKey } from './testing/rows'

const macs = new Map([['test', rowKey]])
const [row] = append([], 1) as [AuditRow]

it('holds a row for genuine whose content, hash and HMAC fit by a known key, and no other', () => {
  expect(isGenuine(row, macs)).toBe(true)
  expect(isGenuine({ ...row, actor: 'nobody' }, macs)).toBe(false)
  expect(isGenuine({ ...row, hash: genesis }, macs)).toBe(false)
  expect(isGenuine({ ...row, mac: genesis }, macs)).toBe(false)
  expect(isGenuine(row, new Map())).toBe(false)
  expect(isGenuine(row, new Map([['test', new Uint8Array(32).fill(8)]]))).toBe(false)
})

it('holds no row of the first releases for genuine that has got a source', () => {
  const [old] = append([], 1, { severity: null }) as [AuditRow]
  expect(isGenuine(old, macs)).toBe(true)
  expect(isGenuine({ ...old, source: 'shop' }, macs)).toBe(false)
})
