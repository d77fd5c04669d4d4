import { useMutation } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'

import { api, isApiError } from '@/api'
import { Button, ButtonLink } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { AuthFrame, linkClass } from './frame'
import { formValues } from './session'

const route = getRouteApi('/reset')

export default function Reset() {
  const { token } = route.useSearch()
  const reset = useMutation({ mutationFn: (password: string) => api.resetPassword({ token: token ?? '', password }) })
  const invalid = isApiError(reset.error, 'validation_failed')
  return (
    <AuthFrame
      title="Choose a new password"
      footer={
        <Link to="/forgot" className={linkClass}>
          Send me another link
        </Link>
      }
    >
      {reset.isSuccess ? (
        <Notice
          tone="ok"
          role="status"
          title="Your password is changed"
          actions={
            <ButtonLink to="/sign-in" variant="primary" size="sm">
              Sign in
            </ButtonLink>
          }
        >
          Every device was signed out.
        </Notice>
      ) : (
        <form
          className="space-y-4"
          onSubmit={(e) => {
            e.preventDefault()
            reset.mutate(formValues(e.currentTarget, 'password').password)
          }}
        >
          {reset.error && !invalid && <ErrorNotice error={reset.error} />}
          {!token && (
            <Notice tone="warn" title="The link is incomplete">
              Open the link in the mail again, or ask for another one.
            </Notice>
          )}
          <TextField
            label="New password"
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={8}
            required
            autoFocus
            hint="At least 8 characters. A few words are good."
            error={isApiError(reset.error) ? reset.error.field('password') : undefined}
          />
          <Button type="submit" variant="primary" size="lg" className="w-full" busy={reset.isPending} disabled={!token}>
            Save the new password
          </Button>
        </form>
      )}
    </AuthFrame>
  )
}
