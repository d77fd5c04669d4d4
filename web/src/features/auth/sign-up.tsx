import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { MailCheck } from 'lucide-react'

import { api, isApiError, providersQuery } from '@/api'
import { Button, ButtonLink } from '@/ui/button'
import { ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { AuthFrame, linkClass } from './frame'
import { formValues } from './session'
import { Or, ProviderLinks } from './ways'

const route = getRouteApi('/sign-up')

export default function SignUp() {
  const { next, email } = route.useSearch()
  const register = useMutation({ mutationFn: api.register })
  const offered = useQuery(providersQuery).data?.length ?? 0
  const fieldError = (name: string) => (isApiError(register.error) ? register.error.field(name) : undefined)
  const signInLink = (
    <Link to="/sign-in" search={{ next }} className={linkClass}>
      Sign in
    </Link>
  )

  if (register.isSuccess) {
    return (
      <AuthFrame title="Check your mail" footer={<>Already confirmed? {signInLink}</>}>
        <div className="card flex gap-4 p-5" role="status">
          <MailCheck className="size-6 shrink-0 text-accent-ink" aria-hidden />
          <div>
            <p>
              We sent a link to <strong className="font-semibold break-all">{register.variables.email}</strong>. Open it
              to confirm your address and start.
            </p>
            <p className="mt-2 text-ink-3">Nothing after a minute? Look in the spam folder, or sign up again.</p>
          </div>
        </div>
        {register.data.verify_token && (
          <ButtonLink
            to="/verify"
            search={{ token: register.data.verify_token }}
            variant="primary"
            size="lg"
            className="mt-5 w-full"
          >
            Confirm now
          </ButtonLink>
        )}
      </AuthFrame>
    )
  }

  const failed = register.error && !isApiError(register.error, 'validation_failed')
  return (
    <AuthFrame
      title="Create your account"
      lead="Free to start: plan, write and export your first proposal."
      footer={<>Have an account? {signInLink}</>}
    >
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          register.mutate(formValues(e.currentTarget, 'name', 'email', 'password'))
        }}
      >
        {failed && <ErrorNotice error={register.error} />}
        <TextField
          label="Name"
          name="name"
          autoComplete="name"
          required
          maxLength={200}
          autoFocus
          error={fieldError('name')}
        />
        <TextField
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          defaultValue={email}
          required
          error={fieldError('email')}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={8}
          required
          hint="At least 8 characters. A few words are good."
          error={fieldError('password')}
        />
        <Button type="submit" variant="primary" size="lg" className="w-full" busy={register.isPending}>
          Create account
        </Button>
      </form>
      {offered > 0 && (
        <div className="mt-5 space-y-3">
          <Or />
          <ProviderLinks next={next} />
        </div>
      )}
    </AuthFrame>
  )
}
