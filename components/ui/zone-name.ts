/** The cookie that names the time zone in which every time on screen and in every export is written. */
export const ZONE_COOKIE = 'zone'

/** The IANA zone of a cookie's value if this runtime knows it, otherwise UTC. */
export function zoneOrUtc(value: string | undefined): string {
  if (!value) return 'UTC'
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone
  } catch {
    return 'UTC'
  }
}
