import type { ReactNode } from 'react'
import { SubNav } from '@/components/shell/sub-nav'

/** The area's pages stand above each of them. */
export default function SecurityLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <SubNav area="/security" label="Security pages" />
      {children}
    </>
  )
}
