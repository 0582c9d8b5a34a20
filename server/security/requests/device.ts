import { createHash } from 'node:crypto'
import type { Caller } from '@/server/audit'
import type { SessionOrigin } from '../sessions/sessions'

const browsers: [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/[\d.]+ .*Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
]

const systems: [RegExp, string][] = [
  [/\b(iPhone|iPod)\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows NT\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** A short name for what a user agent says it is, such as "Firefox on Linux". It is a label, never a proof. */
export function deviceName(userAgent: string): string {
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1]
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1]
  if (browser && system) return `${browser} on ${system}`
  return browser ?? system ?? 'Unknown device'
}

/** A browser is known again by its cookie; a program by what it calls itself. */
export function originOf(by: Caller, deviceId: string | undefined): SessionOrigin {
  const userAgent = by.userAgent ?? ''
  return {
    device: deviceName(userAgent),
    deviceHash: createHash('sha256')
      .update(deviceId ? `cookie:${deviceId}` : `agent:${userAgent}`)
      .digest('base64url'),
    address: by.address ?? 'unknown',
  }
}
