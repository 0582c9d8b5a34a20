import type { Channel } from '@/components/alerts/words'
import type { RouterInputs } from '@/server/routers/_app'

export type ChannelInput = RouterInputs['security']['alerts']['addChannel']

/** What stands in the form. */
export interface Draft {
  kind: Channel['kind']
  name: string
  leastSeverity: Channel['leastSeverity']
  enabled: boolean
  url: string
  /** A header a line: `Name: value`. */
  headers: string
  /** Whether headers that are there are to be replaced. */
  newHeaders: boolean
  host: string
  port: string
  tls: 'implicit' | 'starttls' | 'none'
  user: string
  password: string
  from: string
  /** Addresses, between commas. */
  to: string
  hourly: string
}

/** The usual port of each way of TLS. */
export const usualPorts: Record<Draft['tls'], string> = { implicit: '465', starttls: '587', none: '25' }

export function draftOf(channel: Channel | undefined): Draft {
  const empty: Draft = {
    ...{ kind: 'webhook', name: '', leastSeverity: 'medium', enabled: true, url: '', headers: '' },
    ...{ newHeaders: false, host: '', port: usualPorts.starttls, tls: 'starttls', user: '', password: '' },
    ...{ from: '', to: '', hourly: '20' },
  }
  if (!channel) return empty
  const { kind, name, leastSeverity, enabled } = channel
  const general = { ...empty, kind, name, leastSeverity, enabled }
  if (channel.kind === 'webhook') return general
  const { host, port, tls, user, from, to, hourly } = channel.config
  return {
    ...general,
    ...{ host, port: String(port), tls, user: user ?? '', from, to: to.join(', '), hourly: String(hourly) },
  }
}

/** The form as its procedure takes it. What was left empty of a channel's secrets is left out: it stays. */
export function inputOf(draft: Draft, channel: Channel | undefined): ChannelInput {
  const { leastSeverity, enabled } = draft
  const general = { name: draft.name.trim(), leastSeverity, enabled }
  if (draft.kind === 'webhook') {
    const url = draft.url.trim()
    const given = channel === undefined || draft.newHeaders
    return {
      ...{ kind: 'webhook', ...general },
      ...(url ? { url } : {}),
      ...(given ? { headers: headersOf(draft.headers) } : {}),
    }
  }
  const user = draft.user.trim()
  return {
    ...{ kind: 'email', ...general, host: draft.host.trim(), port: Number(draft.port), tls: draft.tls },
    ...{ user: user || null, from: draft.from.trim(), hourly: Number(draft.hourly) },
    to: draft.to.split(/[,;\s]+/).filter(Boolean),
    ...(user && draft.password ? { password: draft.password } : {}),
  }
}

function headersOf(text: string): { name: string; value: string }[] {
  return text
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => {
      const at = line.indexOf(':')
      if (at < 0) return { name: line.trim(), value: '' }
      return { name: line.slice(0, at).trim(), value: line.slice(at + 1).trim() }
    })
}
