/** Begins every statement of the inspection: by it they are left out of what is counted. */
export const MARK = '/* holdfast:inspect */'
