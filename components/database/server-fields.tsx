import { Field, Input } from '@/components/ui/field'

/** Where a PostgreSQL server is, and as whom one connects. */
export interface ServerPlace {
  host: string
  /** NaN while the field is empty. */
  port: number
  database: string
  user: string
}

/** The fields of a server's place. The password stands apart: each form says something else about it. */
export function ServerFields({
  value,
  onChange,
}: {
  value: ServerPlace
  onChange: (change: Partial<ServerPlace>) => void
}) {
  return (
    <>
      <ServerText label="Host" name="host" value={value.host} onChange={onChange} />
      <Field label="Port" required>
        <Input
          name="port"
          type="number"
          min={1}
          max={65_535}
          required
          value={Number.isNaN(value.port) ? '' : value.port}
          onChange={(event) => onChange({ port: event.target.valueAsNumber })}
        />
      </Field>
      <ServerText label="Database" name="database" value={value.database} onChange={onChange} />
      <ServerText label="Role" name="user" value={value.user} onChange={onChange} />
    </>
  )
}

function ServerText({
  label,
  name,
  value,
  onChange,
}: {
  label: string
  name: 'host' | 'database' | 'user'
  value: string
  onChange: (change: Partial<ServerPlace>) => void
}) {
  return (
    <Field label={label} required>
      <Input
        name={name}
        required
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        value={value}
        onChange={(event) => onChange({ [name]: event.target.value })}
      />
    </Field>
  )
}
