import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { getApi, type JsonSchema, type Parameter, schemaOf } from '@/app/_lib/openapi'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { CodeBlock, Mono, PageHeader, Section } from '@/components/ui/text'
import { curlOf } from '../example'
import { operationsOf } from '../operations'
import { SchemaView } from '../schema-view'

type Props = { params: Promise<{ operation: string }> }

async function findOperation({ params }: Props) {
  const [api, { operation: id }] = await Promise.all([getApi(), params])
  return { api, found: operationsOf(api).find(({ operation }) => operation.operationId === id) }
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const { found } = await findOperation(props)
  return { title: found ? `${found.method} ${found.path}` : 'API reference' }
}

/** One operation: how to call it, what it takes, what it answers. */
export default async function OperationPage(props: Props) {
  const { api, found } = await findOperation(props)
  if (!found) notFound()
  const { method, path, operation } = found
  const { schemas = {} } = api.components
  const url = api.servers[0]?.url ?? ''
  const body = operation.requestBody?.content['application/json'].schema
  return (
    <>
      <PageHeader
        title={<Mono>{`${method} ${path}`}</Mono>}
        lead={operation.description}
        actions={
          <Link href="/system/api" className={plainLink}>
            All operations
          </Link>
        }
      />
      <CodeBlock label="As a command">{curlOf(found, { url, schemas })}</CodeBlock>
      <Takes title="In the address" place={['path', 'query']} {...{ operation, schemas }} />
      <Takes title="Headers" place={['header']} {...{ operation, schemas }} />
      {body ? (
        <Section title="Body">
          <SchemaView schema={body} schemas={schemas} />
        </Section>
      ) : null}
      <Section title="Answer" note={answerNote(operation.responses)}>
        <Answer responses={operation.responses} schemas={schemas} />
      </Section>
      <Section title="Refusals" note="problem details (RFC 9457)">
        <details>
          <summary className="cursor-pointer text-muted">
            Every 4xx and 5xx tells its code, what happened and what to do
          </summary>
          <SchemaView schema={{ $ref: '#/components/schemas/Problem' }} schemas={schemas} />
        </details>
      </Section>
    </>
  )
}

function Takes({
  title,
  place,
  operation,
  schemas,
}: {
  title: string
  place: Parameter['in'][]
  operation: { parameters: Parameter[] }
  schemas: Record<string, unknown>
}) {
  const parameters = operation.parameters.filter((parameter) => place.includes(parameter.in))
  if (parameters.length === 0) return null
  const schema = {
    properties: Object.fromEntries(
      parameters.map((parameter) => [
        parameter.name,
        { ...(parameter.description ? { description: parameter.description } : {}), ...schemaOf(parameter) },
      ]),
    ),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  }
  return (
    <Section title={title}>
      <SchemaView schema={schema} schemas={schemas} />
    </Section>
  )
}

type Responses = Record<string, unknown>
type Content = { content?: { 'application/json': { schema: JsonSchema } } }

const answerNote = (responses: Responses) => ('204' in responses ? '204, without a body' : '200, JSON')

function Answer({ responses, schemas }: { responses: Responses; schemas: Record<string, unknown> }) {
  const schema = (responses['200'] as Content | undefined)?.content?.['application/json'].schema
  if (!schema) return <p className="text-muted">It is done when the answer comes.</p>
  const list = schema.items ? (schema.items as JsonSchema) : schema
  return (
    <>
      {schema.items ? <p className="pb-1.5 text-muted">A list, each with:</p> : null}
      <SchemaView schema={list} schemas={schemas} />
    </>
  )
}
