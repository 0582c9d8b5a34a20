export const states = ['open', 'acknowledged', 'closed'] as const
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const

/** The filter as the URL has it; an unknown word filters nothing, and without a state it is the open ones. */
export function readFilter(params: Pick<URLSearchParams, 'get'>) {
  const asked = params.get('state')
  const state = asked === 'all' ? undefined : (states.find((each) => each === asked) ?? 'open')
  const severity = severities.find((each) => each === params.get('severity'))
  const rule = params.get('rule')?.slice(0, 60) || undefined
  const before = params.get('before') ?? ''
  return {
    ...{ state, severity, rule },
    before: /^\d{1,16}\.[0-9a-f-]{36}$/.test(before) ? before : undefined,
  }
}
