import { PasskeyKnown, PasskeyNotUsed } from '@/features/auth/webauthn'
import { toast } from '@/ui/toast'

import { SignInCancelled } from './fresh'

/** What went wrong with a change, unless it was the person who left it. */
export function tellOf(error: unknown): void {
  if (error instanceof SignInCancelled) return
  if (error instanceof PasskeyNotUsed) {
    toast.show({ title: 'No passkey was made', description: 'The window was closed or took too long. Try again.' })
  } else if (error instanceof PasskeyKnown) {
    toast.show({ title: 'This device has a passkey already', description: 'You can sign in with it here.' })
  } else toast.error(error)
}
