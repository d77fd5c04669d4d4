import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api, isApiError, queryClient, selectOrg, sessionHint, type Me } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

export function DeleteAccount({ me }: { me: Me }) {
  const [open, setOpen] = useState(false)
  const owned = me.orgs.filter((org) => org.role === 'owner' && !org.personal)
  return (
    <Section title="Delete your account" lead="This cannot be undone.">
      <p className="text-ink-2">
        Your name, your address, your ways to sign in and your personal space go, with every proposal, upload and export
        in it. What you wrote in organisations of others stays with them, without your name.
      </p>
      {owned.length > 0 && (
        <Notice tone="warn" title={`You own ${owned.map((org) => org.name).join(', ')}`}>
          An organisation needs an owner. Switch to it at the top left and, under Settings, hand it over or delete it
          first.
        </Notice>
      )}
      <Button variant="danger" onClick={() => setOpen(true)}>
        Delete account
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Delete your account?"
        description="Everything in your personal space is erased, at once and for good."
      >
        <Confirm email={me.user.email} onCancel={() => setOpen(false)} />
      </Dialog>
    </Section>
  )
}

function Confirm({ email, onCancel }: { email: string; onCancel: () => void }) {
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const remove = useMutation({
    mutationFn: async () => {
      await api.deleteMe()
      sessionHint.set(false)
      await navigate({ to: '/sign-in' }) // first: the page that is left would ask for its data anew
      queryClient.clear()
      selectOrg(null)
      toast.show({ title: 'Your account is deleted', description: 'Thank you for having been here.' })
    },
  })
  return (
    <form
      className="space-y-4"
      onSubmit={(e) => {
        e.preventDefault()
        remove.mutate()
      }}
    >
      {isApiError(remove.error, 'conflict') ? (
        <Notice tone="warn" role="alert" title="You still own an organisation">
          Hand it over to another member or delete it under Settings, then delete your account.
        </Notice>
      ) : (
        remove.error && <ErrorNotice error={remove.error} />
      )}
      <TextField
        label={
          <>
            Type <strong className="break-all">{email}</strong> to confirm
          </>
        }
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        autoComplete="off"
        autoFocus
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button
          type="submit"
          variant="danger"
          busy={remove.isPending}
          disabled={typed.trim().toLowerCase() !== email.toLowerCase()}
        >
          Delete my account
        </Button>
      </div>
    </form>
  )
}
