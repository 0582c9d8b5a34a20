import { describe, expect, it } from 'vitest'
import { isBrowser, originAllowed } from './origin'

const url = 'https://holdfast.example.org'
const cookie = '__Host-holdfast-access=x'
const allowed = (headers: Record<string, string>) => originAllowed(new Headers(headers), url)

describe('originAllowed', () => {
  it("allows the console's own pages", () => {
    expect(allowed({ origin: url, cookie })).toBe(true)
    expect(allowed({ origin: url, cookie, 'sec-fetch-site': 'same-origin' })).toBe(true)
    expect(allowed({ origin: url })).toBe(true)
  })

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a name that only begins like ours', { origin: `${url}.evil.example` }],
    ['another port', { origin: `${url}:8443` }],
    ['plain http', { origin: 'http://holdfast.example.org' }],
    ['an opaque origin', { origin: 'null' }],
    ['an empty origin', { origin: '' }],
    ['a neighbour below the same domain', { origin: url, 'sec-fetch-site': 'same-site' }],
    ['a cross-site form', { origin: url, 'sec-fetch-site': 'cross-site' }],
    ['an address typed by hand', { 'sec-fetch-site': 'none' }],
    ['a browser that hides its origin', { 'sec-fetch-site': 'same-origin' }],
  ])('refuses %s, with and without cookies', (_name, headers) => {
    expect(allowed({ ...headers, cookie } as Record<string, string>)).toBe(false)
    expect(allowed(headers as Record<string, string>)).toBe(false)
  })

  it('refuses cookies without an origin, on https and on http', () => {
    expect(allowed({ cookie })).toBe(false)
    expect(allowed({ cookie: 'a=b; holdfast-refresh=x' })).toBe(false)
  })

  it('allows a program, which has neither cookies nor an origin', () => {
    expect(allowed({})).toBe(true)
    expect(allowed({ authorization: 'Bearer x', cookie: 'unrelated=1' })).toBe(true)
    expect(isBrowser(new Headers({ authorization: 'Bearer x' }))).toBe(false)
    expect(isBrowser(new Headers({ origin: url }))).toBe(true)
  })
})
