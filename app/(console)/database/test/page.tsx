import type { Metadata } from 'next'
import { ConnectionTest } from './view'

export const metadata: Metadata = { title: 'Connection test' }

export default function ConnectionTestPage() {
  return <ConnectionTest />
}
