/** One variable as the System page shows it. */
export interface ConfigEntry {
  name: string
  /** The effective value as text; for a secret `set` with a fingerprint; null where there is none. */
  value: string | null
  source: 'default' | 'environment' | 'file' | 'switched over'
  about: string
  secret: boolean
  /** Accepted, and brought to life by a later release. */
  unused: boolean
}

interface Described {
  about: string
  takes: string
  secret?: boolean
  unused?: boolean
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
  return Object.entries(variables).map(([name, { about, takes, secret = false, unused = false }]) => {
    const value = switchedOver[name] ?? asText(env[name], unitOf(takes))
    return {
      name,
      value: secret && value !== null ? `set, fingerprint ${fingerprint(value)}` : value,
      source: name in switchedOver ? 'switched over' : (env.given[name] ?? 'default'),
      about,
      secret,
      unused,
    }
  })
}

/** Spans and sizes are parsed to one unit each, which the value must then name. */
function unitOf(takes: string): string {
  if (/^(a time span|milliseconds)/.test(takes)) return ' ms'
  return takes.startsWith('a size') ? ' bytes' : ''
}

function asText(value: unknown, unit: string): string | null {
  if (typeof value === 'number') return `${value}${unit}`
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : null
  return value === undefined || value === '' ? null : String(value)
}
