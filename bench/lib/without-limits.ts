/** Variables of a console whose load comes from one address: its limits are no part of what is measured. */
export const withoutLimits = {
  RATE_LIMIT_ADDRESS: 'off',
  RATE_LIMIT_USER: 'off',
  RATE_LIMIT_ENDPOINTS: 'auth.signIn=off,auth.verify=off',
  BLOCK_AFTER: 'off',
}
