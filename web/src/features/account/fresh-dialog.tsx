import { useMutation } from '@tanstack/react-query'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'

import { api, isApiError, queryClient, meQuery, useStore, type Me } from '@/api'
import { isSecondStep, SecondFactor, signInWithPassword, type SecondStep } from '@/features/auth/second-factor'
import { formValues } from '@/features/auth/session'
import { Or, PasskeyProblem } from '@/features/auth/ways'
import { askPasskey, passkeysWork } from '@/features/auth/webauthn'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { question } from './fresh'

/** Asks to sign in again before a change that needs it. */
export function FreshSignIn({ user }: { user: Me['user'] }) {
  const asked = useStore(question)
  return (
    <Dialog
      open={asked !== null}
      onOpenChange={(open) => !open && asked?.answer(false)}
      title="Please sign in again"
      description="This change touches how you sign in, so we make sure that it is you."
    >
      {asked && <Again user={user} onDone={() => asked.answer(true)} />}
    </Dialog>
  )
}

function Again({ user, onDone }: { user: Me['user']; onDone: () => void }) {
  const [step, setStep] = useState<SecondStep | null>(null)

  const arrive = async (me: Me) => {
    if (me.user.id !== user.id) {
      location.assign('/app') // the passkey of another account: this page is not theirs
      return
    }
    onDone()
    await queryClient.invalidateQueries({ queryKey: meQuery.queryKey })
  }
  const byPassword = useMutation({
    mutationFn: async (password: string) => {
      const answer = await signInWithPassword({ email: user.email, password })
      if (isSecondStep(answer)) setStep(answer)
      else await arrive(answer)
    },
  })
  const byPasskey = useMutation({
    mutationFn: async () => arrive(await api.signInWithPasskey(await askPasskey(await api.passkeySignInOptions()))),
  })

  if (step) return <SecondFactor step={step} onDone={arrive} onBack={() => setStep(null)} />
  return (
    <div className="space-y-4">
      {byPasskey.error && <PasskeyProblem error={byPasskey.error} />}
      {user.has_password && (
        <form
          className="space-y-4"
          onSubmit={(e) => {
            e.preventDefault()
            byPasskey.reset()
            byPassword.mutate(formValues(e.currentTarget, 'password').password)
          }}
        >
          {isApiError(byPassword.error, 'unauthenticated') ? (
            <Notice tone="danger" role="alert" title="That is not your password" />
          ) : (
            byPassword.error && <ErrorNotice error={byPassword.error} />
          )}
          <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
          <TextField
            label={`Password of ${user.email}`}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            autoFocus
          />
          <Button type="submit" variant="primary" className="w-full" busy={byPassword.isPending}>
            Continue
          </Button>
        </form>
      )}
      {user.has_password && passkeysWork() && <Or />}
      {passkeysWork() && (
        <Button className="w-full" busy={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
          <KeyRound aria-hidden /> Use a passkey
        </Button>
      )}
      {!user.has_password && (
        <p className="text-[0.93rem] text-ink-3">
          No passkey yet? Sign out and in again with your connected account, then repeat the change.
        </p>
      )}
    </div>
  )
}
