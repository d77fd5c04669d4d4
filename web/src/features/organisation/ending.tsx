import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api, meQuery, queryClient, selectOrg, type OrgMembership } from '@/api'
import { Button } from '@/ui/button'
import { ConfirmDialog, Dialog } from '@/ui/dialog'
import { ErrorNotice } from '@/ui/feedback'
import { TextField } from '@/ui/field'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

/** Back to the personal space, once the organisation is gone for this person. */
function useGone(): (title: string) => Promise<void> {
  const navigate = useNavigate()
  return async (title) => {
    const me = await queryClient.fetchQuery({ ...meQuery, staleTime: 0 })
    selectOrg((me.orgs.find((org) => org.personal) ?? me.orgs[0])?.id ?? null)
    await navigate({ to: '/proposals' })
    toast.show({ title })
  }
}

export function Leave({ org }: { org: OrgMembership }) {
  const me = useQuery(meQuery).data
  const gone = useGone()
  const [asking, setAsking] = useState(false)
  const leave = useMutation({
    mutationFn: async () => {
      if (me) await api.removeMember(org.id, me.user.id)
      await gone(`You left ${org.name}`)
    },
    onError: toast.error,
    onSettled: () => setAsking(false),
  })
  return (
    <Section title="Leave" lead="To come back you need a new invite.">
      <Button variant="danger" onClick={() => setAsking(true)}>
        Leave {org.name}
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Leave ${org.name}?`}
        confirm="Leave"
        busy={leave.isPending}
        onConfirm={() => leave.mutate()}
      >
        What you wrote stays with the organisation; you cannot open it any more.
      </ConfirmDialog>
    </Section>
  )
}

export function DeleteOrg({ org }: { org: OrgMembership }) {
  const [open, setOpen] = useState(false)
  return (
    <Section title="Delete" lead="This cannot be undone.">
      <p className="text-ink-2">
        Every proposal, upload and export of {org.name} is erased, for all its members, and its API keys stop working.
        Cancel a subscription under Usage &amp; billing before.
      </p>
      <Button variant="danger" onClick={() => setOpen(true)}>
        Delete {org.name}
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={`Delete ${org.name}?`}
        description="All that it holds is erased, at once and for good."
      >
        <Confirm org={org} onCancel={() => setOpen(false)} />
      </Dialog>
    </Section>
  )
}

function Confirm({ org, onCancel }: { org: OrgMembership; onCancel: () => void }) {
  const gone = useGone()
  const [typed, setTyped] = useState('')
  const remove = useMutation({
    mutationFn: async () => {
      await api.deleteOrg(org.id)
      await gone(`${org.name} is deleted`)
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
      {remove.error && <ErrorNotice error={remove.error} />}
      <TextField
        label={
          <>
            Type <strong className="break-all">{org.name}</strong> to confirm
          </>
        }
        value={typed}
        onChange={(e) => setTyped(e.target.value)}
        autoComplete="off"
        autoFocus
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="danger" busy={remove.isPending} disabled={typed.trim() !== org.name}>
          Delete for everyone
        </Button>
      </div>
    </form>
  )
}
