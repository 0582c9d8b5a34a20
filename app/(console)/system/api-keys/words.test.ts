import { describe, expect, test } from 'vitest'
import type { Permission } from '@/components/security/words'
import { allPermissions, permissionsOf } from '@/server/security/roles'
import { type ApiKey, actions, permissionsInWords, stateOf } from './words'

describe('permissions in words', () => {
  test('say everything where every area is among them', () => {
    expect(permissionsInWords(allPermissions, 5)).toBe(
      'Read: everything · Operate: everything · Manage: everything · Ingest: security',
    )
  })
  test('name the areas by what they let do', () => {
    const held: Permission[] = ['database:read', 'cache:read', 'cache:manage']
    expect(permissionsInWords(held, 5)).toBe('Read: database, cache · Manage: cache')
  })
  test('leave the own account out', () => {
    expect(permissionsInWords(['account:own', 'auth:step-up'], 5)).toBe('')
  })
})

describe('the state of a key', () => {
  const day = 86_400_000
  const key = (rest: Partial<ApiKey>) => ({ revokedAt: null, expiresAt: 100 * day, ...rest }) as ApiKey

  test('is revoked, whatever its end is', () => {
    expect(stateOf(key({ revokedAt: 1 }), 200 * day).word).toBe('Revoked')
  })
  test('warns a week before its end, and is over at it', () => {
    expect(stateOf(key({}), 92.9 * day).word).toBe('Works')
    expect(stateOf(key({}), 93 * day)).toEqual({ kind: 'warn', word: 'Ends soon' })
    expect(stateOf(key({}), 100 * day)).toEqual({ kind: 'off', word: 'Expired' })
  })
})

test('every action that a key can be trusted with needs a permission that an admin can give', () => {
  for (const { needs } of actions) expect(permissionsOf('admin')).toContain(needs)
})
