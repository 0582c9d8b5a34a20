import { describe, expect, it } from 'vitest'
import { nextPath } from './next-path'

describe('nextPath', () => {
  it.each(['/', '/database', '/security?tab=events&open=5#row', '/migration/run-1', '/a//b'])(
    'keeps a path of the console: %s',
    (path) => expect(nextPath(path)).toBe(path),
  )

  it.each([
    undefined,
    null,
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/x\r\nLocation: https://evil.example',
    '///evil.example',
    'evil.example',
    '@evil.example',
    '/sign-in?next=/sign-in',
    '/second-factor?next=/second-factor',
    '/new-password',
    '/api/trpc/auth.signOut',
    '/./sign-in',
    '/../api/upload',
  ])('goes to the overview instead of %j', (path) => expect(nextPath(path)).toBe('/'))

  it('stays on the console however dots are put', () => {
    expect(new URL(nextPath('/.//evil.example'), 'https://console.example').host).toBe('console.example')
    expect(new URL(nextPath('/..//evil.example'), 'https://console.example').host).toBe('console.example')
  })
})
