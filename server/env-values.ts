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
/** Parts between commas, without the space around them. */
export const list = () =>
  z.string().transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
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
