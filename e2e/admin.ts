/** The first admin of a test's console. */
export const admin = {
  name: 'Ana Admin',
  email: 'ana@example.org',
  password: 'a horse, a battery and a staple',
}

export const credentials = { email: admin.email, password: admin.password }
