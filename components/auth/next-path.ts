/** Where to go after sign-in: a page of the console itself, whatever the address asks for. */
export function nextPath(given: string | readonly string[] | null | undefined): string {
  const asked = typeof given === 'string' ? given : given?.[0]
  // A backslash is a slash to browsers, and they drop tabs and line breaks: //evil.example in disguise.
  if (!asked || !/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(asked)) return '/'
  const here = 'http://console.invalid'
  try {
    const url = new URL(asked, here)
    // Dots can leave two slashes in front: /.//evil.example
    if (
      url.origin !== here ||
      url.pathname.startsWith('//') ||
      /^\/(sign-in|set-up|second-factor|fresh-factor|new-password|link|api)(\/|$)/.test(url.pathname)
    )
      return '/'
    return `${url.pathname}${url.search}${url.hash}`
  } catch {
    return '/'
  }
}
