import { writeFileSync } from 'node:fs'

/** A Vitest reporter that writes { passed, failed, skipped: [{ name, reason }] } to the file it is given. */
export default class Totals {
  constructor(options = {}) {
    this.file = options.file ?? process.env.HOLDFAST_TOTALS
  }

  onTestRunEnd(modules, unhandledErrors) {
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: [] }
    for (const module of modules) {
      // A file that could not be loaded has no tests of its own, and failed all the same.
      if (module.errors().length > 0) totals.failed++
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed') totals.passed++
        else if (state === 'failed') totals.failed++
        else
          totals.skipped.push({
            name: `${module.relativeModuleId} > ${test.fullName}`,
            reason: note ?? 'no reason given',
          })
      }
    }
    writeFileSync(this.file, JSON.stringify(totals))
  }
}
