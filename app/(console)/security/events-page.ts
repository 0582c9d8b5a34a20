/** Events of one page; the server prefetches the first with the same number. */
export const EVENTS_PAGE = 50
