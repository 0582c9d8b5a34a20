import { exportEvents } from '@/server/routers/security/export'

export { exportEvents as GET }
