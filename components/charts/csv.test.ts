import { expect, it } from 'vitest'
import { chartCsv, toCsv } from './csv'

it('quotes what needs it and disarms formulas, but leaves numbers alone', () => {
  expect(toCsv([['a,b', 'say "x"', '=1+1', '-2', -2, null, Number.NaN]])).toBe(
    `"a,b","say ""x""",'=1+1,'-2,-2,,\r\n`,
  )
})

it('names the zone and keeps the exact instant', () => {
  const at = Date.UTC(2026, 10, 24, 12)
  expect(chartCsv([at], [{ key: 'a', label: 'In use', values: [7] }], 'Asia/Tokyo')).toBe(
    `time (Asia/Tokyo),unix_ms,In use\r\n2026-11-24 21:00:00,${at},7\r\n`,
  )
})
