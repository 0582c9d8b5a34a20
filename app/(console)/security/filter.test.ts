import { describe, expect, it } from 'vitest'
import { rangeOf, windowOf } from '@/components/shell/ranges'
import { exportHref, pageOf, readFilter, spanOf, stepOf, writeFilter } from './filter'

const params = (query: string) => new URLSearchParams(query)

describe('readFilter', () => {
  it('reads back what writeFilter has written', () => {
    const filter = {
      text: 'two words, and a comma',
      events: ['authn_*', 'sys_startup'],
      actor: 'ana@example.org',
      address: '2001:db8::/32',
      outcomes: ['failure' as const, 'denied' as const],
      severities: ['high' as const],
    }
    const written = Object.entries(writeFilter(filter)).filter(([, value]) => value !== null)
    expect(readFilter(new URLSearchParams(written as [string, string][]))).toEqual(filter)
  })

  it('leaves out what no event could have', () => {
    expect(readFilter(params('outcomes=denied,maybe&severities=&events=a b,ok_&actor=%20'))).toEqual({
      outcomes: ['denied'],
      events: ['ok_'],
    })
  })
})

describe('writeFilter', () => {
  it('takes away what is empty and begins at the latest event', () => {
    expect(writeFilter({ actor: '', events: [], text: 'x' })).toEqual({
      ...{ actor: null, events: null, text: 'x', before: null, after: null },
    })
  })
})

describe('spanOf', () => {
  const day = rangeOf(null, '/security')

  it('asks the same within a step and something later in the next', () => {
    const now = Math.ceil(1_800_000_000_000 / stepOf(day)) * stepOf(day)
    expect(day.key).toBe('24h')
    expect(spanOf(day, null, now)).toEqual({ from: now - day.ms })
    expect(spanOf(day, null, now + stepOf(day) - 1)).toEqual({ from: now - day.ms })
    expect(spanOf(day, null, now + stepOf(day))).toEqual({ from: now - day.ms + stepOf(day) })
  })

  it('stands still in a brushed window', () => {
    const window = windowOf(params('from=1700000000000&to=1700000060000'))
    expect(spanOf(day, window, 1_800_000_000_000)).toEqual({ from: 1_700_000_000_000, to: 1_700_000_060_000 })
  })

  it('ignores a window that ends before it begins', () => {
    expect(windowOf(params('from=1700000060000&to=1700000000000'))).toBeNull()
  })
})

describe('pageOf', () => {
  it('takes one direction and no nonsense', () => {
    expect(pageOf(params('before=7&after=9'))).toEqual({ before: 7 })
    expect(pageOf(params('after=9'))).toEqual({ after: 9 })
    expect(pageOf(params('before=-1'))).toEqual({})
    expect(pageOf(params('before=1e3'))).toEqual({})
  })
})

describe('exportHref', () => {
  it('names the whole filter and its time', () => {
    const href = exportHref({ from: 5, to: 9, outcomes: ['denied', 'failure'], text: 'a&b' }, 'csv')
    expect(href).toBe(
      '/api/security/events/export?format=csv&from=5&to=9&outcomes=denied%2Cfailure&text=a%26b',
    )
  })
})
