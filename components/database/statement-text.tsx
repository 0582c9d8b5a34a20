import { useId } from 'react'
import { CopyButton } from '@/components/ui/copy-button'
import { layOut } from './sql-layout'

/** A whole statement, laid out to be read; what is copied is the same text. */
export function StatementText({ sql, label = 'Copy the statement' }: { sql: string; label?: string }) {
  const id = useId()
  const text = layOut(sql)
  return (
    <div className="flex items-start gap-1 border-y border-border bg-wash">
      <pre className="min-w-0 flex-1 px-3 py-2 font-mono text-note whitespace-pre-wrap wrap-anywhere">
        <code id={id}>{text}</code>
      </pre>
      <CopyButton text={text} textId={id} label={label} />
    </div>
  )
}
