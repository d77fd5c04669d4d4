import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'

import { api, isApiError, meQuery, selectOrg, sessionHint } from '@/api'
import { Button, ButtonLink } from '@/ui/button'
import { ErrorNotice, Loading, Notice } from '@/ui/feedback'

import { AuthFrame } from './frame'
import { useSignedIn } from './session'

const route = getRouteApi('/invite')

/** Where the link of an invite leads: shows who invites, then joins. */
export default function Invite() {
  const { token = '' } = route.useSearch()
  const invite = useQuery({ queryKey: ['invite', token], queryFn: () => api.getInvite(token), enabled: token !== '' })
  const me = useQuery({ ...meQuery, retry: false, enabled: sessionHint.get() })
  const signedIn = useSignedIn()
  const accept = useMutation({
    mutationFn: async () => {
      const joined = await api.acceptInvite(token)
      selectOrg(joined.id)
      await signedIn()
    },
  })

  if (token === '' || invite.error) {
    return (
      <AuthFrame title="This invite does not work">
        <Notice
          tone="warn"
          role="alert"
          title="It was used, withdrawn, or has expired"
          actions={
            <ButtonLink to="/proposals" size="sm">
              Go to Bidwright
            </ButtonLink>
          }
        >
          Ask the person who invited you for a new one.
        </Notice>
      </AuthFrame>
    )
  }
  if (!invite.data || me.isLoading) {
    return (
      <AuthFrame title="Your invite">
        <Loading rows={1} />
      </AuthFrame>
    )
  }
  const { org_name: orgName, email, role } = invite.data
  const here = `/invite?token=${encodeURIComponent(token)}`
  const otherAccount = me.data && email && me.data.user.email.toLowerCase() !== email.toLowerCase()
  return (
    <AuthFrame
      title={`Join ${orgName}`}
      lead={
        <>
          You are invited to write proposals together{role ? ` as ${role}` : ''}.
          {email && (
            <>
              {' '}
              The invite is for <strong className="font-semibold break-all">{email}</strong>.
            </>
          )}
        </>
      }
    >
      <div className="space-y-4">
        {isApiError(accept.error, 'quota_exceeded') ? (
          <Notice tone="warn" role="alert" title="Every seat is taken">
            Ask the person who invited you to add a seat, then accept again. The invite stays open.
          </Notice>
        ) : (
          accept.error && <ErrorNotice error={accept.error} />
        )}
        {otherAccount && (
          <Notice tone="warn" title={`You are signed in as ${me.data.user.email}`}>
            Sign in with the invited address to accept.
          </Notice>
        )}
        {me.data && !otherAccount ? (
          <Button
            variant="primary"
            size="lg"
            className="w-full"
            busy={accept.isPending}
            onClick={() => accept.mutate()}
          >
            Accept the invite
          </Button>
        ) : (
          <>
            <ButtonLink to="/sign-in" search={{ next: here, email }} variant="primary" size="lg" className="w-full">
              Sign in to accept
            </ButtonLink>
            {!me.data && (
              <ButtonLink to="/sign-up" search={{ next: here, email }} size="lg" className="w-full">
                Create an account
              </ButtonLink>
            )}
          </>
        )}
      </div>
    </AuthFrame>
  )
}
