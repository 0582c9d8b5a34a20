import { expect, it } from 'vitest'
import { openVault } from '@/server/vault'
import { testVault as vault } from '../testing/accounts'
import {
  backupCodeCount,
  backupCodeMac,
  makeBackupCodes,
  newBackupCodes,
  plainBackupCode,
} from './backup-codes'

it('makes ten codes of 120 bits without letters that look like others', () => {
  const codes = newBackupCodes()
  expect(codes).toHaveLength(backupCodeCount)
  expect(new Set(codes).size).toBe(10)
  for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{6}(-[0-9A-HJKMNP-TV-Z]{6}){3}$/)
})

it('uses all 32 characters about equally often', () => {
  const counts = new Map<string, number>()
  for (let round = 0; round < 100; round++) {
    for (const character of newBackupCodes().join('').replaceAll('-', '')) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
  }
  expect(counts.size).toBe(32)
  // 750 of each are expected, with a deviation of 27.
  for (const count of counts.values()) expect(Math.abs(count - 750)).toBeLessThan(6 * 27)
})

it('reads a code as people type it', () => {
  const plain = '0123456789ABCDEFGH01JKMN'
  for (const typed of [
    '012345-6789AB-CDEFGH-01JKMN',
    '0123456789abcdefgh01jkmn',
    ' 012345 6789ab cdefgh 01jkmn\n',
    'o123456789abcdefghoijkmn',
    'O123456789ABCDEFGHOlJKMN',
  ]) {
    expect(plainBackupCode(typed)).toBe(plain)
  }
  for (const other of [
    '',
    '123456',
    `${plain}0`,
    plain.slice(1),
    plain.replace('A', 'U'),
    plain.replace('A', 'ß'),
  ]) {
    expect(plainBackupCode(other)).toBeNull()
  }
})

it('stores a MAC that fits one user and one master key', () => {
  const { shown, macs } = makeBackupCodes({ vault }, 'ana')
  const [first = ''] = shown
  const plain = plainBackupCode(first) ?? ''
  expect(macs[0]).toBe(backupCodeMac({ vault }, 'ana', plain))
  expect(macs[0]).not.toBe(backupCodeMac({ vault }, 'ben', plain))
  const other = openVault(Buffer.alloc(32, 8))
  expect(macs[0]).not.toBe(backupCodeMac({ vault: other }, 'ana', plain))
  for (const code of shown) expect(macs.join()).not.toContain(code.replaceAll('-', ''))
})
