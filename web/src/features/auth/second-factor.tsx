import { useMutation } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'

import { api, isApiError, type ApiError, type Me } from '@/api'
import { Button } from '@/ui/button'
import { Notice } from '@/ui/feedback'

import { PasskeyProblem } from './ways'
import { askPasskey, passkeysWork } from './webauthn'

/** The first factor was right, and a passkey is asked for as well. */
export interface SecondStep {
  ticket: string
  options: PublicKeyCredentialRequestOptionsJSON
}

export function secondStepOf(error: ApiError): SecondStep | null {
  const { ticket, options } = error.body
  if (error.code !== 'second_factor_required' || typeof ticket !== 'string' || typeof options !== 'object') return null
  return { ticket, options: options as PublicKeyCredentialRequestOptionsJSON }
}

/** The second step that a sign-in with a provider comes back with, behind the `#`: base64url of JSON. */
export function secondStepIn(fragment: string): SecondStep | null {
  const packed = new URLSearchParams(fragment.replace(/^#/, '')).get('second-step')
  if (!packed) return null
  try {
    const bytes = Uint8Array.from(atob(packed.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    const { ticket, options } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
    if (typeof ticket !== 'string' || typeof options !== 'object' || options === null) return null
    return { ticket, options: options as PublicKeyCredentialRequestOptionsJSON }
  } catch {
    return null
  }
}

/** Signs in with a password; answers with the second step where there is one. */
export async function signInWithPassword(input: { email: string; password: string }): Promise<SecondStep | Me> {
  try {
    return await api.signIn(input)
  } catch (error) {
    const step = isApiError(error) ? secondStepOf(error) : null
    if (!step) throw error
    return step
  }
}

export const isSecondStep = (answer: SecondStep | Me): answer is SecondStep => 'ticket' in answer

export function SecondFactor({
  step,
  onDone,
  onBack,
}: {
  step: SecondStep
  onDone: (me: Me) => Promise<void>
  onBack: () => void
}) {
  const confirm = useMutation({
    mutationFn: async () => {
      const credential = await askPasskey(step.options)
      await onDone(await api.signInWithPasskey(credential, step.ticket))
    },
  })
  const spent = isApiError(confirm.error, 'unauthenticated')
  return (
    <div className="space-y-4">
      {spent ? (
        <Notice tone="danger" role="alert" title="That did not work in time">
          The passkey did not match, or more than five minutes went by. Begin again.
        </Notice>
      ) : (
        confirm.error && <PasskeyProblem error={confirm.error} />
      )}
      {!passkeysWork() && (
        <Notice tone="warn" title="This browser knows no passkeys">
          Your account asks for one. Sign in on a device that has your passkey.
        </Notice>
      )}
      {!spent && passkeysWork() && (
        <Button
          variant="primary"
          size="lg"
          className="w-full"
          autoFocus
          busy={confirm.isPending}
          onClick={() => confirm.mutate()}
        >
          <KeyRound aria-hidden /> Confirm with your passkey
        </Button>
      )}
      <Button variant="ghost" className="w-full" onClick={onBack}>
        Begin again
      </Button>
    </div>
  )
}
