import type { ReactNode } from 'react'
import { Button } from './button'

/** The buttons that end a form in a dialog: Cancel, then what acts. `busy`: it acts, and is not left. */
export function FormActions({
  onCancel,
  busy,
  children,
}: {
  onCancel: () => void
  busy?: boolean | undefined
  children: ReactNode
}) {
  return (
    <div className="flex flex-wrap justify-end gap-2 pt-2">
      <Button onClick={onCancel} disabled={busy}>
        Cancel
      </Button>
      {children}
    </div>
  )
}
