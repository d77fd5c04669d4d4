import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { api } from '@/api'
import { Button } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { AuthFrame, linkClass } from './frame'
import { formValues } from './session'

export default function Forgot() {
  const forgot = useMutation({ mutationFn: api.forgotPassword })
  return (
    <AuthFrame
      title="Reset your password"
      lead="Tell us your address and we send you a link."
      footer={
        <Link to="/sign-in" className={linkClass}>
          Back to sign in
        </Link>
      }
    >
      {forgot.isSuccess ? (
        <Notice tone="ok" role="status" title="Check your mail">
          If there is an account for {forgot.variables}, a link to choose a new password is on its way.
        </Notice>
      ) : (
        <form
          className="space-y-4"
          onSubmit={(e) => {
            e.preventDefault()
            forgot.mutate(formValues(e.currentTarget, 'email').email)
          }}
        >
          {forgot.error && <ErrorNotice error={forgot.error} />}
          <TextField label="Email" name="email" type="email" autoComplete="username" required autoFocus />
          <Button type="submit" variant="primary" size="lg" className="w-full" busy={forgot.isPending}>
            Send the link
          </Button>
        </form>
      )}
    </AuthFrame>
  )
}
