import { describe, expect, it } from 'vitest'
import { countsOf } from '@/components/security/counts'
import { eventWords } from '@/components/security/event-words'
import { CHARTS, listHref } from './charts'

const named = (event: string, names: readonly string[]) =>
  names.some((name) => (name.endsWith('*') ? event.startsWith(name.slice(0, -1)) : event === name))

describe('the charts of activity', () => {
  it('have at most four series, and put every known event that they count into one of them', () => {
    for (const { events, groups } of CHARTS) {
      if (!events || !groups) continue
      expect(groups.length).toBeLessThanOrEqual(4)
      const counted = Object.keys(eventWords).filter((event) => named(event, events))
      expect(counted.length).toBeGreaterThan(2)
      expect(counted.filter((event) => groups.filter(({ of }) => of(event)).length !== 1)).toEqual([])
    }
  })

  it('add up what belongs together', () => {
    const factors = CHARTS.find(({ key }) => key === 'factors')
    const { series } = countsOf(
      {
        ...{ from: 0, to: 20, stepMs: 10, total: 9 },
        series: ['authn_step_up_success', 'authn_mfa_fail', 'authn_mfa_success'],
        buckets: [
          { at: 0, counts: [1, 2, 3] },
          { at: 10, counts: [0, 0, 3] },
        ],
      },
      factors?.groups ?? [],
    )
    expect(series.map(({ key, values }) => [key, values])).toEqual([
      ['accepted', [4, 3]],
      ['refused', [2, 0]],
      ['backup', [0, 0]],
      ['changed', [0, 0]],
    ])
  })

  it('lead to the list of the same events in the same time', () => {
    const [signIns, all] = CHARTS
    if (!signIns || !all) throw new Error('no charts')
    expect(listHref(signIns, new URLSearchParams())).toBe('/security?events=authn_login_*&range=7d')
    expect(listHref(all, new URLSearchParams('from=1&to=2&range=1h'))).toBe('/security?from=1&to=2')
  })
})
