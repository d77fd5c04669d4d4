import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { isApiError, sessionHint } from '@/api'
import { Button } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { AuthFrame, linkClass } from './frame'
import { problemOf } from './problems'
import { isSecondStep, SecondFactor, secondStepIn, signInWithPassword, type SecondStep } from './second-factor'
import { formValues, useSignedIn } from './session'
import { Or, PasskeyButton, PasskeyProblem, ProviderLinks, usePasskeySignIn, usePasskeysInField } from './ways'

const route = getRouteApi('/sign-in')

export default function SignIn() {
  const { next } = route.useSearch()
  const signedIn = useSignedIn()
  const [step, setStep] = useState<SecondStep | null>(() => secondStepIn(window.location.hash))
  useEffect(() => {
    if (!window.location.hash) return
    sessionHint.set(false) // the provider's link had announced a session
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search)
  }, [])
  if (step) {
    return (
      <AuthFrame title="One more step" lead="That was right. Your account asks for your passkey as well.">
        <SecondFactor step={step} onDone={() => signedIn(next)} onBack={() => setStep(null)} />
      </AuthFrame>
    )
  }
  return <FirstStep onSecond={setStep} />
}

function FirstStep({ onSecond }: { onSecond: (step: SecondStep) => void }) {
  const { next, email, problem: code } = route.useSearch()
  const signedIn = useSignedIn()
  const byPassword = useMutation({
    mutationFn: async (input: { email: string; password: string }) => {
      const answer = await signInWithPassword(input)
      if (isSecondStep(answer)) onSecond(answer)
      else await signedIn(next)
    },
  })
  const byPasskey = usePasskeySignIn(next)
  usePasskeysInField(next)
  const tried = byPassword.error ?? byPasskey.error
  const problem = tried ? null : problemOf(code)
  useEffect(() => {
    if (code) sessionHint.set(false) // the provider's link had announced a session
  }, [code])
  return (
    <AuthFrame
      title="Welcome back"
      lead={next ? 'Sign in to carry on where you were.' : 'Sign in to your proposals.'}
      footer={
        <>
          New here?{' '}
          <Link to="/sign-up" search={{ next }} className={linkClass}>
            Create an account
          </Link>
        </>
      }
    >
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          byPasskey.reset()
          byPassword.mutate(formValues(e.currentTarget, 'email', 'password'))
        }}
      >
        {problem && (
          <Notice tone="warn" role="alert" title={problem.title}>
            {problem.hint}
          </Notice>
        )}
        {isApiError(byPassword.error, 'unauthenticated') ? (
          <Notice tone="danger" role="alert" title="That did not match">
            Check the address and the password, or reset your password.
          </Notice>
        ) : (
          byPassword.error && <ErrorNotice error={byPassword.error} />
        )}
        {byPasskey.error && !byPassword.error && <PasskeyProblem error={byPasskey.error} />}
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="username webauthn"
          defaultValue={email}
          required
          autoFocus
        />
        <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button type="submit" variant="primary" size="lg" className="w-full" busy={byPassword.isPending}>
          Sign in
        </Button>
        <p className="text-center">
          <Link to="/forgot" className={linkClass}>
            Forgot your password?
          </Link>
        </p>
      </form>
      <div className="mt-5 space-y-3">
        <Or />
        <PasskeyButton signIn={byPasskey} />
        <ProviderLinks next={next} />
      </div>
    </AuthFrame>
  )
}
