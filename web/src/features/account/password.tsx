import { useMutation } from '@tanstack/react-query'
import { useRef } from 'react'

import { api, isApiError, keys, queryClient, type Me } from '@/api'
import { formValues } from '@/features/auth/session'
import { Button } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

export function Password({ user }: { user: Me['user'] }) {
  return (
    <Section
      title="Password"
      lead={
        user.has_password
          ? 'A new one signs out every other browser.'
          : 'You have none: you sign in with a connected account or a passkey.'
      }
    >
      {user.has_password ? <Change /> : <FirstOne email={user.email} />}
    </Section>
  )
}

function Change() {
  const form = useRef<HTMLFormElement>(null)
  const change = useMutation({
    mutationFn: api.changePassword,
    onSuccess: async () => {
      form.current?.reset()
      toast.show({ title: 'Password changed', description: 'Every other browser was signed out.' })
      await queryClient.invalidateQueries({ queryKey: keys.sessions })
    },
  })
  const wrong = (name: string) => (isApiError(change.error) ? change.error.field(name) : undefined)
  return (
    <form
      ref={form}
      className="space-y-4"
      onSubmit={(e) => {
        e.preventDefault()
        change.mutate(formValues(e.currentTarget, 'current_password', 'password'))
      }}
    >
      {change.error && !wrong('current_password') && !wrong('password') && <ErrorNotice error={change.error} />}
      <TextField
        label="Current password"
        name="current_password"
        type="password"
        autoComplete="current-password"
        required
        error={wrong('current_password')}
      />
      <TextField
        label="New password"
        name="password"
        type="password"
        autoComplete="new-password"
        minLength={8}
        required
        hint="At least 8 characters. A few words are good."
        error={wrong('password')}
      />
      <Button type="submit" busy={change.isPending}>
        Change password
      </Button>
    </form>
  )
}

function FirstOne({ email }: { email: string }) {
  const send = useMutation({ mutationFn: () => api.forgotPassword(email) })
  if (send.isSuccess) {
    return (
      <Notice tone="ok" role="status" title="Check your mail">
        A link to choose a password is on its way to {email}. Choosing one signs you out everywhere.
      </Notice>
    )
  }
  return (
    <>
      {send.error && <ErrorNotice error={send.error} />}
      <Button busy={send.isPending} onClick={() => send.mutate()}>
        Mail me a link to set a password
      </Button>
    </>
  )
}
