import type { ReactNode } from 'react'
import { SubNav } from '@/components/shell/sub-nav'

/** The area's pages stand above each of them. */
export default function CacheLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <SubNav area="/cache" label="Cache pages" />
      {children}
    </>
  )
}
