import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api, isApiError, membersQuery, meQuery, queryClient, type OrgMembership } from '@/api'
import { formValues } from '@/features/auth/session'
import { canManage, orgLabel, useOrg } from '@/features/shell/org'
import { Button, ButtonLink } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { ErrorNotice, Loading } from '@/ui/feedback'
import { SelectField, TextField } from '@/ui/field'
import { Page, Section } from '@/ui/page'
import { toast } from '@/ui/toast'

import { DeleteOrg, Leave } from './ending'

export default function Organisation() {
  const org = useOrg()
  return (
    <Page title="Settings" lead={`Of ${org.personal ? 'your personal space' : orgLabel(org)}.`}>
      <div className="card p-5 sm:p-7">
        <Name org={org} />
        {!org.personal && org.role === 'owner' && <Transfer org={org} />}
        {!org.personal && org.role !== 'owner' && <Leave org={org} />}
        {!org.personal && org.role === 'owner' && <DeleteOrg org={org} />}
        {org.personal && (
          <Section title="Delete" lead="Your personal space goes with your account.">
            <ButtonLink to="/account">Go to your account</ButtonLink>
          </Section>
        )}
      </div>
    </Page>
  )
}

function Name({ org }: { org: OrgMembership }) {
  const rename = useMutation({
    mutationFn: (name: string) => api.renameOrg(org.id, name),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: meQuery.queryKey })
      toast.show({ title: 'Name saved' })
    },
  })
  const wrong = isApiError(rename.error) ? rename.error.field('name') : undefined
  const mayRename = canManage(org)
  return (
    <Section title="Name" lead="It stands in the menu, in invites, and on exported files.">
      {rename.error && !wrong && <ErrorNotice error={rename.error} />}
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          rename.mutate(formValues(e.currentTarget, 'name').name.trim())
        }}
      >
        <TextField
          key={org.name}
          label="Name"
          name="name"
          defaultValue={org.name}
          required
          maxLength={120}
          readOnly={!mayRename}
          hint={mayRename ? undefined : 'An admin can change it.'}
          error={wrong}
        />
        {mayRename && (
          <Button type="submit" busy={rename.isPending}>
            Save name
          </Button>
        )}
      </form>
    </Section>
  )
}

function Transfer({ org }: { org: OrgMembership }) {
  const me = useQuery(meQuery).data
  const members = useQuery(membersQuery(org.id))
  const [heir, setHeir] = useState('')
  const [asking, setAsking] = useState(false)
  const others = members.data?.filter((member) => member.user_id !== me?.user.id) ?? []
  const name = others.find((member) => member.user_id === heir)?.name
  const transfer = useMutation({
    mutationFn: () => api.transferOrg(org.id, heir),
    onSuccess: async () => {
      toast.show({ title: `${org.name} is handed over`, description: `${name} owns it now; you stay as an admin.` })
      await queryClient.invalidateQueries()
    },
    onError: toast.error,
    onSettled: () => setAsking(false),
  })
  return (
    <Section
      title="Hand over"
      lead="Another member becomes the owner, with billing and everything else. You stay as an admin."
    >
      {members.isPending && <Loading label="Loading members" rows={1} />}
      {members.error && <ErrorNotice error={members.error} onRetry={() => void members.refetch()} />}
      {members.data && others.length === 0 && (
        <p className="text-ink-3">There is nobody else here yet. Invite someone under Members first.</p>
      )}
      {others.length > 0 && (
        <form
          className="space-y-4"
          onSubmit={(e) => {
            e.preventDefault()
            if (heir) setAsking(true)
          }}
        >
          <SelectField label="New owner" value={heir} required onChange={(e) => setHeir(e.target.value)}>
            <option value="">Choose a member</option>
            {others.map((member) => (
              <option key={member.user_id} value={member.user_id}>
                {member.name} ({member.email})
              </option>
            ))}
          </SelectField>
          <Button type="submit">Hand over</Button>
        </form>
      )}
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Make ${name ?? 'them'} the owner?`}
        confirm="Hand over"
        busy={transfer.isPending}
        onConfirm={() => transfer.mutate()}
      >
        Only {name ?? 'the new owner'} can give {org.name} back to you.
      </ConfirmDialog>
    </Section>
  )
}
