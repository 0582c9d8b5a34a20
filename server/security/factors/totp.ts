import { generateSecret, generateURI, verifySync } from 'otplib'

/** Seconds of one time step (RFC 6238, 5.2). */
export const stepSeconds = 30

/** Steps in both directions within which a code that came at the wrong time tells by how much a clock is off. */
const searched = 20

/** 160 bits in base32, as RFC 4226 recommends: the length of SHA-1's output. */
export const newTotpSecret = () => generateSecret({ length: 20 })

/** What an authenticator app reads from the QR code. SHA-1, 6 digits and 30 s are what every app takes for granted. */
export const totpUri = (of: { issuer: string; label: string; secret: string }) => generateURI(of)

export type TotpCheck =
  /** `drift`: seconds by which the device's clock is off, negative means behind. */
  | { outcome: 'right'; step: number; drift: number }
  /** It is right for a step that was used already, or for one before that. */
  | { outcome: 'used' }
  /** It is right for another time, beyond the window. */
  | { outcome: 'off'; step: number; drift: number }
  | { outcome: 'wrong' }

interface TotpRules {
  /** UTC milliseconds. */
  now: number
  /** Steps by which a code may be early or late. */
  window: number
  /** The last step whose code was used. */
  lastStep: number
}

/** The six digits of a code as people type it, with spaces; null for anything else. */
export function plainTotpCode(typed: string): string | null {
  const code = typed.replace(/\s/g, '')
  return /^[0-9]{6}$/.test(code) ? code : null
}

/** Compares a code with those of the steps around now (RFC 6238, 5.2), and tells why it does not fit. */
export function checkTotp(secret: string, typed: string, { now, window, lastStep }: TotpRules): TotpCheck {
  const token = plainTotpCode(typed)
  if (!token) return { outcome: 'wrong' }
  const epoch = Math.floor(now / 1000)
  const current = Math.floor(epoch / stepSeconds)
  const within = (steps: number, afterTimeStep?: number) =>
    verifySync({ secret, token, epoch, epochTolerance: steps * stepSeconds, afterTimeStep })
  // otplib refuses a step beyond those it looks at, which is what a clock that was put back leaves behind.
  const fresh = within(window, Math.min(lastStep, current + window))
  if (fresh.valid) return { outcome: 'right', ...stepOf(fresh, current) }
  if (within(window).valid) return { outcome: 'used' }
  const other = within(Math.max(searched, window))
  return other.valid ? { outcome: 'off', ...stepOf(other, current) } : { outcome: 'wrong' }
}

function stepOf(result: { delta: number }, current: number): { step: number; drift: number } {
  return { step: current + result.delta, drift: result.delta * stepSeconds }
}
