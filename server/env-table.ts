import { variables } from './env'

/** The configuration as a table in Markdown, as the README shows it. */
export function configurationTable(): string {
  const rows = Object.entries(variables).map(([name, { about, takes, shown, unused, secret }]) => {
    const notes = [secret ? 'secret' : '', unused ? 'no effect yet' : ''].filter(Boolean).join(', ')
    return `| \`${name}\` | ${shown ? `\`${shown}\`` : ''} | ${takes} | ${about}${notes ? ` (${notes})` : ''} |`
  })
  return ['| Variable | Default | Takes | What it does |', '|---|---|---|---|', ...rows].join('\n')
}
