import { ByText } from '@/db/by-text'
import { tokenise } from '../advisor/tokens'
import { kindOf } from '../pool/pipeline-statement'

const TEXTS = 2_000

/** Names of every function that may write, or whose answer changes from call to call; functions of extensions too. */
export const VOLATILE_FUNCTIONS = `
  SELECT DISTINCT proname AS name
    FROM pg_proc
   WHERE provolatile = 'v' AND prokind <> 'a'`

/** VOLATILE by their catalog entry, and the same on every server of a cluster or at least harmless there. */
const HARMLESS = new Set(
  `random clock_timestamp timeofday statement_timestamp gen_random_uuid uuidv4 uuidv7 pg_sleep pg_sleep_for
  pg_sleep_until pg_table_size pg_relation_size pg_indexes_size pg_total_relation_size pg_database_size
  pg_column_size`.split(/\s+/),
)

/** Known to write, or to belong to one server, whatever the catalog says. */
const WRITERS =
  /^(?:nextval|setval|currval|lastval|lo_\w+|loread|lowrite|lo|dblink\w*|pg_notify|set_config|setseed|txid_current|pg_current_xact_id|pg_advisory\w*|pg_try_advisory\w*|pg_logical\w*|pg_create_\w+|pg_drop_\w+|pg_replication_\w+|pg_switch_wal|pg_promote|pg_cancel_backend|pg_terminate_backend|pg_reload_conf|pg_export_snapshot|pg_stat_reset\w*|pg_stat_statements_reset|query_to_xml\w*|cursor_to_xml\w*|database_to_xml\w*|pg_current_wal\w*|pg_is_in_recovery|pg_last_\w+)$/

/** Which statements change nothing, and which of them a replica may answer: by their text, and in doubt none. */
export class ReadBook {
  #texts = this.#unread()
  #volatile: ReadonlySet<string> | undefined

  /** Nothing goes to a replica before the database's functions are known. */
  get complete(): boolean {
    return this.#volatile !== undefined
  }

  /** The VOLATILE functions of the database, by name. */
  learnFunctions(names: readonly string[]): void {
    this.#volatile = new Set(names.filter((name) => !HARMLESS.has(name)))
    this.#texts = this.#unread()
  }

  /** A replica refused it as a write: something that it calls writes. */
  learnWrite(text: string): void {
    this.#texts.of(text).reads = false
  }

  /** Whether it reads, and nothing else. */
  reads(text: string): boolean {
    return this.#texts.of(text).reads
  }

  #unread(): ByText<{ reads: boolean }> {
    return new ByText((text) => ({ reads: kindOf(text) === 'read' && !this.#callsWriter(text) }), TEXTS)
  }

  #callsWriter(text: string): boolean {
    const tokens = tokenise(text)
    return tokens.some(({ kind, text: name }, at) => {
      if ((kind !== 'word' && kind !== 'name') || tokens[at + 1]?.text !== '(') return false
      return WRITERS.test(name) || this.#volatile?.has(name) === true
    })
  }
}
