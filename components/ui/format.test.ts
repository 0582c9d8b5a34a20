import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatCompact,
  formatCount,
  formatDuration,
  formatEta,
  formatNumber,
  formatRate,
  formatRelative,
  formatShare,
  formatTime,
  isoTime,
} from './format'

describe('absent values', () => {
  it('writes zero, null and missing differently in every formatter', () => {
    for (const write of [formatNumber, formatCompact, formatShare, formatBytes, formatDuration, formatRate]) {
      const written = [write(0), write(null), write(undefined)]
      expect(new Set(written).size).toBe(3)
      expect(written[1]).toBe('n/a')
      expect(written[2]).toBe('—')
    }
  })

  it('takes NaN and infinities for missing', () => {
    expect(formatNumber(Number.NaN)).toBe('—')
    expect(formatBytes(Number.POSITIVE_INFINITY)).toBe('—')
  })
})

describe('numbers', () => {
  it('groups thousands and keeps asked decimals', () => {
    expect(formatNumber(1234567)).toBe('1,234,567')
    expect(formatNumber(12.5, 2)).toBe('12.50')
  })

  it('shortens without passing the next unit', () => {
    expect([999, 1234, 12_345, 999_499, 999_600, 1_500_000_000].map(formatCompact)).toEqual([
      '999',
      '1.2 k',
      '12 k',
      '999 k',
      '1 M',
      '1.5 G',
    ])
    expect(formatCompact(0.126)).toBe('0.13')
  })

  it('never rounds a share to a perfect or empty one', () => {
    expect(formatShare(0.99999)).toBe('99.9 %')
    expect(formatShare(0.00001)).toBe('< 0.1 %')
    expect(formatShare(0.0005)).toBe('0.1 %')
    expect(formatShare(1)).toBe('100 %')
    expect(formatShare(0)).toBe('0 %')
    expect(formatShare(1.254)).toBe('125.4 %')
  })

  it('writes rates and counts with their units', () => {
    expect([formatRate(3.44), formatRate(12_400.4)]).toEqual(['3.4 /s', '12,400 /s'])
    expect([formatCount(1, 'row'), formatCount(2, 'row'), formatCount(2, 'entry', 'entries')]).toEqual([
      '1 row',
      '2 rows',
      '2 entries',
    ])
  })
})

describe('bytes', () => {
  it('uses binary units with three significant figures', () => {
    expect([1, 1023, 1024, 1536, 512 * 2 ** 20, 1024 ** 3 - 1].map(formatBytes)).toEqual([
      '1 B',
      '1023 B',
      '1.00 KiB',
      '1.50 KiB',
      '512 MiB',
      '1.00 GiB',
    ])
  })
})

describe('durations', () => {
  it('keeps at most two units and never shows sixty of one', () => {
    expect([0.424, 18.4, 1400, 59_600, 200_000, 7_500_000, 273_600_000].map(formatDuration)).toEqual([
      '0.42 ms',
      '18 ms',
      '1.4 s',
      '1 min',
      '3 min 20 s',
      '2 h 5 min',
      '3 d 4 h',
    ])
  })

  it('gives an estimate as a range', () => {
    expect(formatEta(40_200, 54_900)).toBe('40–55 s')
    expect(formatEta(121_000, 175_000)).toBe('2–3 min')
    expect(formatEta(undefined, 3)).toBe('—')
  })
})

describe('times', () => {
  const at = Date.UTC(2026, 10, 24, 23, 5, 9)

  it('writes the same instant in the zone asked for', () => {
    expect(formatTime(at, 'UTC')).toBe('2026-11-24 23:05:09')
    expect(formatTime(at, 'Asia/Tokyo', { withZone: true })).toBe('2026-11-25 08:05:09 Asia/Tokyo')
    expect(formatTime(at, 'UTC', { only: 'time', seconds: false })).toBe('23:05')
  })

  it('writes midnight as 00, not 24', () => {
    expect(formatTime(Date.UTC(2026, 0, 1), 'UTC')).toBe('2026-01-01 00:00:00')
  })

  it('measures distance backwards and forwards', () => {
    expect(
      [at - 400, at - 12_000, at - 200_000, at + 7_300_000, at - 4 * 86_400_000].map((t) =>
        formatRelative(t, at),
      ),
    ).toEqual(['just now', '12 s ago', '3 min ago', 'in 2 h', '4 d ago'])
    expect(isoTime(at)).toBe('2026-11-24T23:05:09.000Z')
    expect(isoTime(undefined)).toBe('')
  })
})
