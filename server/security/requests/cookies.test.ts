import { describe, expect, it } from 'vitest'
import { clearCookies, readCookie, setCookie } from './cookies'

describe('cookies', () => {
  it('are bound to this host and to https where that is the public address', () => {
    const headers = new Headers()
    setCookie(headers, 'refresh', 'abc', { secure: true, now: 0, expiresAt: 60_000 })
    expect(headers.getSetCookie()).toEqual([
      '__Host-holdfast-refresh=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60',
    ])
  })

  it('work on plain http without the prefix', () => {
    const headers = new Headers()
    setCookie(headers, 'access', 'abc', { secure: false, now: 0, expiresAt: 60_000 })
    expect(headers.getSetCookie()).toEqual([
      'holdfast-access=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60',
    ])
  })

  it('end at sign-out, the device apart', () => {
    const headers = new Headers()
    clearCookies(headers, true)
    const set = headers.getSetCookie()
    expect(set.map((cookie) => cookie.split('=')[0])).toEqual([
      '__Host-holdfast-access',
      '__Host-holdfast-refresh',
    ])
    for (const cookie of set) expect(cookie).toContain('Max-Age=0')
  })

  it('are not believed when one comes twice, nor under the name of plain http on https', () => {
    const twice = new Headers({ cookie: 'holdfast-access=good; holdfast-access=planted' })
    expect(readCookie(twice, 'access', false)).toBeUndefined()
    const planted = new Headers({ cookie: 'holdfast-access=planted; __Host-holdfast-access=good' })
    expect(readCookie(planted, 'access', true)).toBe('good')
    expect(readCookie(new Headers({ cookie: 'a=b=c; holdfast-access=x=y' }), 'access', false)).toBe('x=y')
  })
})
