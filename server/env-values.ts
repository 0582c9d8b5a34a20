import ipaddr from 'ipaddr.js'
import { z } from 'zod'

/** Any text but none. */
export const text = () => z.string().min(1)
/** A whole number between two bounds, both included. */
export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .refine((n) => n >= least && n <= most)
export const port = () => whole(1, 65_535)
export const milliseconds = () => whole(0, 2 ** 31 - 1)
/** name=value between commas, percent-encoded where they must, as OpenTelemetry writes them; kept as text. */
export const pairs = () => z.string().refine((value) => readPairs(value) !== null)

/** What such a text says; null for one that is none. */
export function readPairs(value: string): Record<string, string> | null {
  try {
    const parts = value.split(',').filter((part) => part.trim() !== '')
    return Object.fromEntries(parts.map(readPair))
  } catch {
    return null
  }
}

function readPair(part: string): [name: string, value: string] {
  const [, name, value = ''] = /^\s*([^=\s]+)\s*=(.*)$/.exec(part) ?? []
  if (!name) throw new Error('This is not name=value.')
  return [decodeURIComponent(name), decodeURIComponent(value.trim())]
}

/** Parts between commas, without the space around them. */
export const list = () =>
  z.string().transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
/** Addresses and CIDR networks between commas. */
export const networks = () =>
  list().refine((given) => given.every((one) => ipaddr.isValid(one) || ipaddr.isValidCIDR(one)))
export const flag = () =>
  z.enum(['true', 'false', '1', '0', '']).transform((value) => value === 'true' || value === '1')

/** `15m`, `7d`, `3600s` … to milliseconds. */
export const span = () =>
  z
    .string()
    .regex(/^\d+(ms|s|m|h|d)$/)
    .transform((value) => {
      const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
      const [, count = '0', unit = 's'] = /^(\d+)(\D+)$/.exec(value) ?? []
      return Number(count) * units[unit as keyof typeof units]
    })
    .refine((value) => value > 0)

/** So many calls in so long. */
export interface Rate {
  most: number
  windowMs: number
}

const ratePattern = /^[1-9]\d{0,8}\/[1-9]\d{0,4}[smh]$/

function rateOf(value: string): Rate | null {
  if (value === 'off') return null
  const [most = '', window = ''] = value.split('/')
  return { most: Number(most), windowMs: span().parse(window) }
}

/** `100/1m`, or `off` as null. */
export const rate = () =>
  text()
    .refine((value) => value === 'off' || ratePattern.test(value))
    .transform(rateOf)

/** `auth.signIn=20/1m,cache.clear=off`, by name. */
export const rates = () =>
  list()
    .refine((parts) =>
      parts.every((part) => {
        const [name = '', value = '', more] = part.split('=')
        return more === undefined && /^[\w.]+$/.test(name) && (value === 'off' || ratePattern.test(value))
      }),
    )
    .transform(
      (parts): Record<string, Rate | null> =>
        Object.fromEntries(
          parts.map((part) => {
            const [name = '', value = ''] = part.split('=')
            return [name, rateOf(value)]
          }),
        ),
    )

/** `15m,1h,24h` to milliseconds. */
export const spans = () =>
  list()
    .refine((parts) => parts.length > 0 && parts.every((part) => span().safeParse(part).success))
    .transform((parts) => parts.map((part) => span().parse(part)))

/** `1GB`, `512MB`, `1000` … to bytes. */
export const size = () =>
  z
    .string()
    .regex(/^\d+\s*(B|KB|MB|GB|TB)?$/i)
    .transform((value) => {
      const [, count = '0', unit = ''] = /^(\d+)\s*(\w*)$/.exec(value) ?? []
      const power = ['', 'KB', 'MB', 'GB', 'TB'].indexOf(unit.toUpperCase() === 'B' ? '' : unit.toUpperCase())
      return Number(count) * 1024 ** power
    })

/** `https://host` alone: no path, no query. */
export const origin = () =>
  z
    .url({ protocol: /^https?$/ })
    .refine((value) => new URL(value).pathname === '/' && !new URL(value).search)
    .transform((value) => new URL(value).origin)

/** 32 bytes in base64; stays text. */
export const key32 = () => text().refine((value) => Buffer.from(value, 'base64').length === 32)
