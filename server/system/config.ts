/** One variable as the System page shows it. */
export interface ConfigEntry {
  name: string
  /** The effective value as text; for a secret `set` with a fingerprint; null where there is none. */
  value: string | null
  source: 'default' | 'environment' | 'file' | 'switched over'
  about: string
  secret: boolean
}

interface Described {
  about: string
  takes: string
  secret?: boolean
}

export interface ConfigInput {
  variables: Record<string, Described>
  env: Record<string, unknown> & { given: Partial<Record<string, 'environment' | 'file'>> }
  /** Tells two secrets apart without telling anything else; keyed, so that it can't be guessed offline. */
  fingerprint: (secret: string) => string
  /** Values that a switchover has put in the place of the configured ones. */
  switchedOver: Record<string, string>
}

/** The effective configuration: every variable with its value and where it came from. Secrets stay unseen. */
export function describeConfig({ variables, env, fingerprint, switchedOver }: ConfigInput): ConfigEntry[] {
  return Object.entries(variables).map(([name, { about, takes, secret = false }]) => {
    const value = switchedOver[name] ?? asText(env[name], takes)
    return {
      name,
      value: secret && value !== null ? `set, fingerprint ${fingerprint(value)}` : value,
      source: name in switchedOver ? 'switched over' : (env.given[name] ?? 'default'),
      about,
      secret,
    }
  })
}

/** The value as the environment would say it. Bare milliseconds name their unit. */
function asText(value: unknown, takes: string): string | null {
  if (value === undefined || value === '') return null
  if (Array.isArray(value)) return value.map((each) => asText(each, takes)).join(', ') || null
  if (typeof value === 'number') return numberText(value, takes)
  if (value === null || typeof value === 'object') return rateText(value)
  return String(value)
}

function numberText(value: number, takes: string): string {
  if (takes.startsWith('milliseconds')) return `${value} ms`
  if (takes.startsWith('a size')) return inUnits(value, SIZES)
  return /^(a )?time span/.test(takes) ? inUnits(value, SPANS) : String(value)
}

/** `6000/1m` or off, or such limits by name. */
function rateText(value: object | null): string | null {
  if (value === null) return 'off'
  if ('most' in value && 'windowMs' in value) return `${value.most}/${inUnits(Number(value.windowMs), SPANS)}`
  return (
    Object.entries(value)
      .map(([name, rate]) => `${name}=${rateText(rate)}`)
      .join(', ') || null
  )
}

/** In the largest unit that divides it. */
function inUnits(value: number, units: Record<string, number>): string {
  const [name = '', factor = 1] =
    Object.entries(units).find(([, factor]) => value > 0 && value % factor === 0) ?? []
  return `${value / factor}${name}`
}

const SPANS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
const SIZES = { TB: 1024 ** 4, GB: 1024 ** 3, MB: 1024 ** 2, KB: 1024, B: 1 }
