/** How a session was signed in, after RFC 8176, in words. */
const words: Record<string, string> = {
  pwd: 'Password',
  otp: 'One-time code',
  hwk: 'Passkey',
  backup: 'Backup code',
}

/** `Password, one-time code`: the methods of a session as a phrase. */
export function methodWords(methods: readonly string[]): string {
  return methods
    .map((method) => words[method] ?? method)
    .map((word, at) => (at === 0 ? word : word.toLowerCase()))
    .join(', ')
}
