import { Markup } from './markup'

/** Ink on paper, on screen and printed alike. */
export const style = new Markup(`
body { font: 13px/1.5 system-ui, sans-serif; color: #181e22; background: #fff; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 20px; font-weight: 500 } h2 { font-size: 16px; font-weight: 500; margin: 2rem 0 .5rem }
.verdict { font-size: 16px } .m, footer { color: #5a6268 } footer { margin-top: 2rem }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .5rem 1.5rem; border-block: 1px solid #dfdeda; padding: .5rem 0 }
dt { color: #5a6268 } dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
caption { text-align: left; font-weight: 500; padding: .25rem 0 }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #dfdeda; padding: .25rem .5rem .25rem 0 }
th { color: #5a6268; font-weight: 500 } td { overflow-wrap: anywhere }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code, pre { font-family: ui-monospace, monospace; font-size: 12px } pre { white-space: pre-wrap; margin: .25rem 0 }
figure { margin: .5rem 0 1rem; max-width: 40rem } svg { display: block; width: 100% } path { fill: none; stroke: #004992; stroke-width: 1.5 } .axis { stroke: #dfdeda }
@media print { body { margin: 0; max-width: none } thead { display: table-header-group } tr { break-inside: avoid } }
`)
