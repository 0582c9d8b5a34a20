/** Text that is markup already. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | null | undefined | false | readonly Part[]

/** Markup from a template: every value that isn't markup is escaped. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...parts.map(textOf)))
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text
  if (Array.isArray(part)) return part.map(textOf).join('')
  if (part === null || part === undefined || part === false) return ''
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

export interface Column<Row> {
  header: string
  cell: (row: Row) => Part
  numeric?: boolean
}

/** A table with a caption; nothing without rows. */
export function tableOf<Row>(caption: string, columns: Column<Row>[], rows: readonly Row[]): Markup | null {
  if (rows.length === 0) return null
  const classOf = ({ numeric }: Column<Row>) => numeric && new Markup(' class="n"')
  return html`<table><caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.header}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${columns.map((column) => html`<td${classOf(column)}>${column.cell(row)}</td>`)}</tr>
`,
  )}</tbody></table>`
}

/** For figures side by side. */
export function factsOf(facts: readonly (readonly [label: string, value: Part])[]): Markup {
  return html`<dl>${facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
}
