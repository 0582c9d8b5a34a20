import { kindOf } from '../pool/pipeline-statement'

/** Functions that write, or whose effect belongs to one server: a replica refuses them, or answers for itself. */
const WRITERS =
  /\b(?:nextval|setval|lo_\w+|loread|lowrite|dblink\w*|pg_notify|txid_current|pg_current_xact_id|pg_logical_emit_message|pg_(?:create|drop|copy|advance|replication)_\w+|pg_switch_wal|pg_promote|pg_(?:cancel|terminate)_backend|pg_reload_conf|pg_rotate_logfile|pg_export_snapshot|pg_stat_(?:reset|statements_reset)\w*|pg_import_system_collations|query_to_xml|cursor_to_xml)\s*\(/i

const TEXTS = 2_000

/** Which statements a replica may answer, by their text. In doubt the primary does. */
export class ReadBook {
  #texts = new Map<string, boolean>()
  #functions: RegExp | undefined

  /** Functions of the database that may write, by name: VOLATILE ones that are not part of PostgreSQL. */
  learnFunctions(names: readonly string[]): void {
    const escaped = names.map((name) => name.replace(/[^\w]/g, '\\$&'))
    const pattern = escaped.length === 0 ? '' : `(?:\\b|")(?:${escaped.join('|')})"?\\s*\\(`
    if (pattern === (this.#functions?.source ?? '')) return
    this.#functions = pattern === '' ? undefined : new RegExp(pattern, 'i')
    this.#texts.clear()
  }

  /** A replica refused it as a write. */
  learnWrite(text: string): void {
    this.#keep(text, false)
  }

  reads(text: string): boolean {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    const reads = kindOf(text) === 'read' && !WRITERS.test(text) && !this.#functions?.test(text)
    this.#keep(text, reads)
    return reads
  }

  #keep(text: string, reads: boolean): void {
    if (this.#texts.size >= TEXTS) this.#texts.clear()
    this.#texts.set(text, reads)
  }
}
