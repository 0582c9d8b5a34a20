/** For routers that are tested by themselves: what their calls count for is the subject of e2e/attacks. */
export const noLimits = { take: async () => {}, refused: () => {} }
