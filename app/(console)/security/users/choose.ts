import { type Role, roleOrder, type User } from '@/components/security/words'
import type { Sort } from '@/components/ui/table'

export interface UserFilter {
  text: string
  role: Role | null
  state: User['state'] | null
}

/** Whether a user passes the filter; the text is looked for in name and address. */
export function passes({ text, role, state }: UserFilter, user: User): boolean {
  const wanted = text.trim().toLowerCase()
  return (
    (role === null || user.role === role) &&
    (state === null || user.state === state) &&
    (wanted === '' || `${user.name}\n${user.email}`.toLowerCase().includes(wanted))
  )
}

const orders: Record<string, (a: User, b: User) => number> = {
  name: byName,
  role: (a, b) => roleOrder.indexOf(a.role) - roleOrder.indexOf(b.role),
  state: (a, b) => compare(a.state, b.state),
  sessions: (a, b) => a.sessions - b.sessions,
  lastSignIn: (a, b) => (a.lastSignInAt ?? 0) - (b.lastSignInAt ?? 0),
}

/** One locale for the server's HTML and every browser. */
const { compare } = new Intl.Collator('en')

function byName(a: User, b: User): number {
  return compare(a.name, b.name) || compare(a.email, b.email)
}

/** Users in the asked order; equal ones by name. */
export function sorted(users: readonly User[], { by, direction }: Sort): User[] {
  const order = (Object.hasOwn(orders, by) && orders[by]) || byName
  const sign = direction === 'desc' ? -1 : 1
  return [...users].sort((a, b) => sign * order(a, b) || byName(a, b))
}
