import { variables } from './env'

/** The configuration as a table in Markdown, as the README shows it. */
export function configurationTable(): string {
  const rows = Object.entries(variables).map(([name, { about, takes, shown, secret }]) => {
    const note = secret ? ' (secret)' : ''
    return `| \`${name}\` | ${shown ? `\`${shown}\`` : ''} | ${takes} | ${about}${note} |`
  })
  return ['| Variable | Default | Takes | What it does |', '|---|---|---|---|', ...rows].join('\n')
}
