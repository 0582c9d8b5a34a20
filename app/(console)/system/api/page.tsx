import type { Metadata } from 'next'
import { getApi } from '@/app/_lib/openapi'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Mono, PageHeader, Section } from '@/components/ui/text'
import { operationsOf } from './operations'

export const metadata: Metadata = { title: 'API reference' }

/** Every REST address, by area. The server renders it whole, so it can be searched with the browser. */
export default async function ApiPage() {
  const api = await getApi()
  const operations = operationsOf(api)
  return (
    <>
      <PageHeader
        title="API reference"
        lead={
          <>
            {operations.length} operations over REST, for programs with an{' '}
            <Link href="/system/api-keys" className={plainLink}>
              API key
            </Link>
            . As OpenAPI 3.1:{' '}
            <a href="/api/openapi.json" className={plainLink}>
              <Mono>/api/openapi.json</Mono>
            </a>
          </>
        }
      />
      {api.tags.map(({ name, description }) => (
        <Section key={name} title={<span className="capitalize">{name}</span>} note={description}>
          <ul className="border-t border-border">
            {operations
              .filter(({ operation }) => operation.tags.includes(name))
              .map(({ method, path, operation }) => (
                <li
                  key={operation.operationId}
                  className="grid gap-x-4 border-b border-border py-1.5 lg:grid-cols-[minmax(20rem,2fr)_3fr]"
                >
                  <Link href={`/system/api/${operation.operationId}`} className={plainLink}>
                    <Mono>
                      <span className="inline-block w-11 text-muted">{method}</span>
                      {path.replace(/^\/api/, '')}
                    </Mono>
                  </Link>
                  <span className="min-w-0 text-muted">{operation.summary}</span>
                </li>
              ))}
          </ul>
        </Section>
      ))}
    </>
  )
}
