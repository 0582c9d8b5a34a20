/** Rows that a list of the page begins with. */
export const ALERTS_PAGE = 25
