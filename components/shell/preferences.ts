/** What the browser remembers of how the console looks. The server reads these cookies and renders classes. */
export const THEME_COOKIE = 'theme'
export const RAIL_COOKIE = 'rail'
/** What was open of the hardening when its line was put away: ids, separated by dots. */
export const HARDENING_COOKIE = 'hardening'

export const THEMES = ['light', 'dark', 'system'] as const
export type Theme = (typeof THEMES)[number]

/** The theme named by a cookie's value; anything unknown follows the system. */
export function themeOf(value: string | undefined): Theme {
  return THEMES.find((theme) => theme === value) ?? 'system'
}

/** The class on <html> for a cookie's value: `light`, `dark` or `theme-system`. */
export function themeClass(value: string | undefined): string {
  const theme = themeOf(value)
  return theme === 'system' ? 'theme-system' : theme
}

/** Keeps a preference for a year. Preferences hold no secret, so a script may write them. */
export function rememberPreference(name: string, value: string): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is withheld on plain http
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`
}
