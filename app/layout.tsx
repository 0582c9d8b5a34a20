import type { Metadata, Viewport } from 'next'
import { cookies } from 'next/headers'
import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { THEME_COOKIE, themeClass } from '@/components/shell/preferences'
import { NowProvider } from '@/components/ui/now'
import { ZoneProvider } from '@/components/ui/zone'
import { ZONE_COOKIE, zoneOrUtc } from '@/components/ui/zone-name'
import { fontClasses } from './fonts'
import { markUrl } from './mark'
import './globals.css'

export const metadata: Metadata = {
  title: { default: 'Holdfast', template: '%s · Holdfast' },
  description: 'The admin console for what your application stands on.',
  robots: { index: false, follow: false },
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#FBFAF8' },
    { media: '(prefers-color-scheme: dark)', color: '#0C1013' },
  ],
}

/** Every page is rendered at request time: a prerendered one would carry no nonce, and its scripts would be blocked. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  await connection()
  const jar = await cookies()
  return (
    <html lang="en" className={`${fontClasses} ${themeClass(jar.get(THEME_COOKIE)?.value)}`}>
      <head>
        <link rel="icon" type="image/svg+xml" href={markUrl} />
      </head>
      <body>
        <NowProvider at={Date.now()}>
          <ZoneProvider zone={zoneOrUtc(jar.get(ZONE_COOKIE)?.value)}>{children}</ZoneProvider>
        </NowProvider>
      </body>
    </html>
  )
}
