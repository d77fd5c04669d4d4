import { useMutation, useQuery } from '@tanstack/react-query'
import { MailPlus, Users } from 'lucide-react'
import { useRef } from 'react'

import {
  api,
  invitesQuery,
  isApiError,
  keys,
  membersQuery,
  meQuery,
  queryClient,
  usageQuery,
  type InviteRole,
  type Member,
  type OrgMembership,
} from '@/api'
import { canManage, useOrg } from '@/features/shell/org'
import { Button, ButtonLink } from '@/ui/button'
import { Badge, EmptyState, ErrorNotice, Loading, Notice } from '@/ui/feedback'
import { SelectField, TextField } from '@/ui/field'
import { date } from '@/ui/format'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'

import { ManageMember, RevokeInvite } from './manage'
import { grantable } from './rules'

export default function Members() {
  const org = useOrg()
  if (org.personal) {
    return (
      <Page title="Members">
        <div className="card">
          <EmptyState icon={<Users aria-hidden />} title="This space is yours alone">
            To write with others, create an organisation in the menu at the top left, then invite people here.
          </EmptyState>
        </div>
      </Page>
    )
  }
  return <Team org={org} mayInvite={canManage(org)} />
}

function Team({ org, mayInvite }: { org: OrgMembership; mayInvite: boolean }) {
  const { id: orgId, name: orgName } = org
  const members = useQuery(membersQuery(orgId))
  const invites = useQuery({ ...invitesQuery(orgId), enabled: mayInvite })
  const me = useQuery(meQuery)
  const usage = useQuery(usageQuery()).data
  const seats = usage?.limits.seats ?? null
  const full = usage !== undefined && seats !== null && usage.usage.seats >= seats
  return (
    <Page title="Members" lead={`Who writes in ${orgName}.`}>
      {mayInvite && full && (
        <div className="mb-4">
          <Notice
            tone="accent"
            title="Every seat is taken"
            actions={
              <ButtonLink to="/billing" variant="primary" size="sm">
                Add seats
              </ButtonLink>
            }
          >
            Invites can be sent, but nobody can join before there is a free seat.
          </Notice>
        </div>
      )}
      {mayInvite && <InviteForm org={org} />}
      {members.isPending && <Loading label="Loading members" />}
      {members.error && <ErrorNotice error={members.error} onRetry={() => void members.refetch()} />}
      {members.data && (
        <ul className="card divide-y divide-line" aria-label="Members">
          {members.data.map((member) => (
            <MemberRow key={member.user_id} org={org} member={member} self={member.user_id === me.data?.user.id} />
          ))}
        </ul>
      )}
      {invites.data && invites.data.length > 0 && (
        <section className="mt-8" aria-labelledby="invites">
          <h2 id="invites" className="mb-3 text-[1.15rem] font-semibold">
            Invited
          </h2>
          <ul className="card divide-y divide-line">
            {invites.data.map((invite) => (
              <li key={invite.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
                <span className="min-w-0 flex-1 truncate max-sm:basis-full">{invite.email}</span>
                {invite.expires_at && (
                  <span className="text-[0.87rem] text-ink-3">until {date(invite.expires_at)}</span>
                )}
                <Badge className="capitalize">{invite.role}</Badge>
                <RevokeInvite orgId={orgId} id={invite.id} email={invite.email} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </Page>
  )
}

function MemberRow({ org, member, self }: { org: OrgMembership; member: Member; self: boolean }) {
  return (
    <li className="flex items-center gap-3.5 px-5 py-3">
      <span
        className="flex size-9 shrink-0 items-center justify-center rounded-full bg-accent-soft text-[0.87rem] font-semibold text-accent-ink"
        aria-hidden
      >
        {(member.name || member.email).charAt(0).toUpperCase()}
      </span>
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">
          {member.name || member.email} {self && <span className="font-normal text-ink-3">(you)</span>}
        </p>
        <p className="truncate text-[0.87rem] text-ink-3">{member.email}</p>
      </div>
      <Badge tone={member.role === 'owner' ? 'accent' : 'neutral'} className="capitalize">
        {member.role}
      </Badge>
      <ManageMember org={org} member={member} self={self} />
    </li>
  )
}

function InviteForm({ org }: { org: OrgMembership }) {
  const form = useRef<HTMLFormElement>(null)
  const invite = useMutation({
    mutationFn: (input: { email: string; role: InviteRole }) => api.invite(org.id, input),
    onSuccess: async (_, { email }) => {
      form.current?.reset()
      toast.show({ title: 'Invite sent', description: `${email} has a link in their mail.` })
      await queryClient.invalidateQueries({ queryKey: keys.invites() })
    },
  })
  const emailError = isApiError(invite.error) ? invite.error.field('email') : undefined
  return (
    <div className="card mb-6 space-y-4 p-5">
      {invite.error && !emailError && <ErrorNotice error={invite.error} />}
      <form
        ref={form}
        className="grid items-start gap-3 sm:grid-cols-[1fr_10rem_auto]"
        onSubmit={(e) => {
          e.preventDefault()
          const data = new FormData(e.currentTarget)
          invite.mutate({ email: String(data.get('email')), role: String(data.get('role')) as InviteRole })
        }}
      >
        <TextField
          label="Invite by email"
          name="email"
          type="email"
          required
          placeholder="name@example.org"
          error={emailError}
        />
        <SelectField label="Role" name="role" defaultValue="member">
          {grantable(org.role).map((role) => (
            <option key={role} value={role}>
              {role.charAt(0).toUpperCase() + role.slice(1)}
            </option>
          ))}
        </SelectField>
        <Button type="submit" variant="primary" className="sm:mt-7.5" busy={invite.isPending}>
          <MailPlus aria-hidden /> Send invite
        </Button>
      </form>
    </div>
  )
}
