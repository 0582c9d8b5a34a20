import NextLink from 'next/link'
import type { ComponentProps } from 'react'

/** A link within the console that fetches nothing ahead: a page holds many, and each would have a page rendered. */
export function Link(props: ComponentProps<typeof NextLink>) {
  return <NextLink prefetch={false} {...props} />
}
