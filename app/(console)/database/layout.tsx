import type { ReactNode } from 'react'
import { SubNav } from '@/components/shell/sub-nav'

/** The area's pages stand above each of them. */
export default function DatabaseLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <SubNav area="/database" label="Database pages" />
      {children}
    </>
  )
}
