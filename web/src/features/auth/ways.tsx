import { useMutation, useQuery } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import { useEffect, useEffectEvent } from 'react'

import { api, isApiError, providersQuery, sessionHint } from '@/api'
import { Button, buttonClass } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'

import { providerName } from './problems'
import { appPath, useSignedIn } from './session'
import { askPasskey, offersInField, PasskeyNotUsed, passkeysWork } from './webauthn'

/** Links to the providers that are set up; nothing where there is none. */
export function ProviderLinks({ next }: { next?: string }) {
  const providers = useQuery(providersQuery).data ?? []
  return providers.map((provider) => (
    <a
      key={provider}
      href={api.oauthStart(provider, appPath(next))}
      className={buttonClass('secondary', 'lg', 'w-full')}
      // The way back leads straight into the app, which then looks for the session.
      onClick={() => sessionHint.set(true)}
    >
      Continue with {providerName(provider)}
    </a>
  ))
}

export function PasskeyProblem({ error }: { error: unknown }) {
  if (error instanceof PasskeyNotUsed) {
    return (
      <Notice tone="warn" role="alert" title="No passkey was used">
        The window was closed, or there is no passkey for Bidwright on this device. Try again, or use your password.
      </Notice>
    )
  }
  if (isApiError(error, 'unauthenticated')) {
    return (
      <Notice tone="danger" role="alert" title="That passkey is not known here">
        It may have been removed from your account. Sign in with your password instead.
      </Notice>
    )
  }
  return <ErrorNotice error={error} />
}

/** Asks for any passkey of ours and signs in with it. */
async function signInByPasskey(quietly?: { until: AbortSignal }): Promise<void> {
  const credential = await askPasskey(await api.passkeySignInOptions(), quietly)
  await api.signInWithPasskey(credential)
}

export function usePasskeySignIn(next?: string) {
  const signedIn = useSignedIn()
  return useMutation({
    mutationFn: async () => {
      await signInByPasskey()
      await signedIn(next)
    },
  })
}

export function PasskeyButton({ signIn }: { signIn: ReturnType<typeof usePasskeySignIn> }) {
  if (!passkeysWork()) return null
  return (
    <Button size="lg" className="w-full" busy={signIn.isPending} onClick={() => signIn.mutate()}>
      <KeyRound aria-hidden /> Sign in with a passkey
    </Button>
  )
}

/** Lets the browser offer passkeys in its list under the address field; says nothing where there are none. */
export function usePasskeysInField(next?: string): void {
  const signedIn = useSignedIn()
  const arrived = useEffectEvent(() => signedIn(next))
  useEffect(() => {
    const leaving = new AbortController()
    void offersInField()
      .then(async (offers) => {
        if (!offers || leaving.signal.aborted) return
        await signInByPasskey({ until: leaving.signal })
        await arrived()
      })
      .catch(() => undefined)
    return () => leaving.abort()
  }, [])
}

export function Or() {
  return (
    <div className="flex items-center gap-3 text-[0.9rem] text-ink-3">
      <span className="h-px flex-1 bg-line" aria-hidden />
      or
      <span className="h-px flex-1 bg-line" aria-hidden />
    </div>
  )
}
