import type { SlowCommand } from '@/components/cache/types'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { MISSING } from '@/components/ui/format'
import { CodeBlock, KeyValue, Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { formatMicroseconds } from './threshold'

export type CommandDrawerProps = {
  /** The one that is open; null for none. */
  id: string | null
  /** Undefined where the log doesn't hold it any more. */
  command: SlowCommand | undefined
  onClose: () => void
}

/** One slow command with all of its words. */
export function CommandDrawer({ id, command, onClose }: CommandDrawerProps) {
  return (
    <Drawer open={id !== null} onClose={onClose} title="Slow command">
      {command ? (
        <div className="flex flex-col gap-4">
          <CodeBlock label="Command" wrap>
            {command.command}
          </CodeBlock>
          <p className="text-muted">Values of writes are hidden.</p>
          <KeyValue
            items={[
              { label: 'Took', value: formatMicroseconds(command.took) },
              { label: 'Time', value: <Time at={command.at} withZone /> },
              { label: 'Node', value: <Mono>{command.node}</Mono> },
              { label: 'Client', value: command.client ? <Mono>{command.client}</Mono> : MISSING },
              { label: 'Number in its log', value: String(command.id) },
            ]}
          />
        </div>
      ) : (
        <Empty kind="no-match" title="This command is not in the log any more">
          It was pushed out by newer ones, or the log was reset.
        </Empty>
      )}
    </Drawer>
  )
}
