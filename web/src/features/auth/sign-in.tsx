import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'

import { api, isApiError } from '@/api'
import { Button } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { AuthFrame, linkClass } from './frame'
import { formValues, useSignedIn } from './session'

const route = getRouteApi('/sign-in')

export default function SignIn() {
  const { next, email } = route.useSearch()
  const signedIn = useSignedIn()
  const signIn = useMutation({
    mutationFn: async (input: { email: string; password: string }) => {
      await api.signIn(input)
      await signedIn(next)
    },
  })
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
          signIn.mutate(formValues(e.currentTarget, 'email', 'password'))
        }}
      >
        {isApiError(signIn.error, 'unauthenticated') ? (
          <Notice tone="danger" role="alert" title="That did not match">
            Check the address and the password, or reset your password.
          </Notice>
        ) : (
          signIn.error && <ErrorNotice error={signIn.error} />
        )}
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          defaultValue={email}
          required
          autoFocus
        />
        <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button type="submit" variant="primary" size="lg" className="w-full" busy={signIn.isPending}>
          Sign in
        </Button>
        <p className="text-center">
          <Link to="/forgot" className={linkClass}>
            Forgot your password?
          </Link>
        </p>
      </form>
    </AuthFrame>
  )
}
