import { useMutation } from '@tanstack/react-query'

import { api, isApiError, meQuery, queryClient, type Me } from '@/api'
import { formValues } from '@/features/auth/session'
import { Button } from '@/ui/button'
import { ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

export function Profile({ user }: { user: Me['user'] }) {
  const rename = useMutation({
    mutationFn: api.renameMe,
    onSuccess: (me) => {
      queryClient.setQueryData(meQuery.queryKey, me)
      toast.show({ title: 'Name saved' })
    },
  })
  const wrong = isApiError(rename.error) ? rename.error.field('name') : undefined
  return (
    <Section title="Profile" lead="What the others in your organisations see.">
      {rename.error && !wrong && <ErrorNotice error={rename.error} />}
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          rename.mutate(formValues(e.currentTarget, 'name').name.trim())
        }}
      >
        <TextField
          label="Name"
          name="name"
          defaultValue={user.name}
          autoComplete="name"
          required
          maxLength={200}
          error={wrong}
        />
        <TextField
          label="Email"
          type="email"
          value={user.email}
          readOnly
          hint="You sign in with it, and links and invites go there. It cannot be changed."
        />
        <Button type="submit" busy={rename.isPending}>
          Save name
        </Button>
      </form>
    </Section>
  )
}
