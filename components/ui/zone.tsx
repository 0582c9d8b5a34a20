'use client'

import { createContext, type ReactNode, use } from 'react'

const ZoneContext = createContext('UTC')

/** One time zone for everything below. */
export function ZoneProvider({ zone, children }: { zone: string; children: ReactNode }) {
  return <ZoneContext value={zone}>{children}</ZoneContext>
}

/** The IANA name of the zone that times are written in. */
export function useZone(): string {
  return use(ZoneContext)
}
