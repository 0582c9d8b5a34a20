'use client'

import { useRouter } from 'next/navigation'
import { AccountIcon } from '@/components/ui/icons'
import { Menu } from '@/components/ui/menu'
import { useTheme } from './theme-switch'

export type UserMenuProps = { email: string; role: string; onSignOut: () => unknown; onShortcuts: () => void }

/** Who is signed in, the theme, the keys, and the way out. */
export function UserMenu({ email, role, onSignOut, onShortcuts }: UserMenuProps) {
  const [theme, chooseTheme] = useTheme()
  const router = useRouter()
  return (
    <Menu
      label={`Account menu of ${email}`}
      items={[
        { kind: 'heading', label: `${email} · ${role}` },
        { label: 'Account', onSelect: () => router.push('/account') },
        { label: 'Keyboard shortcuts', hint: '?', onSelect: onShortcuts },
        { kind: 'rule' },
        { kind: 'heading', label: 'Theme' },
        { kind: 'choice', label: 'Light', checked: theme === 'light', onSelect: () => chooseTheme('light') },
        { kind: 'choice', label: 'Dark', checked: theme === 'dark', onSelect: () => chooseTheme('dark') },
        {
          kind: 'choice',
          label: 'As the system',
          checked: theme === 'system',
          onSelect: () => chooseTheme('system'),
        },
        { kind: 'rule' },
        { label: 'Sign out', onSelect: () => void onSignOut() },
      ]}
    >
      <AccountIcon />
    </Menu>
  )
}
