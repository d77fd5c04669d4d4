import { useMutation, useQuery } from '@tanstack/react-query'
import { Unlink } from 'lucide-react'
import { useState } from 'react'

import { api, identitiesQuery, isApiError, keys, providersQuery, queryClient, type Identity } from '@/api'
import { providerName } from '@/features/auth/problems'
import { Button } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { ErrorNotice, Loading, Notice } from '@/ui/feedback'
import { ago, date } from '@/ui/format'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

/** Accounts elsewhere that sign in here. Left out where none can be. */
export function Identities() {
  const identities = useQuery(identitiesQuery)
  const providers = useQuery(providersQuery).data ?? []
  const [unlinking, setUnlinking] = useState<Identity | null>(null)
  const unlink = useMutation({
    mutationFn: (identity: Identity) => api.unlinkIdentity(identity.provider),
    onSuccess: async (_, { provider }) => {
      setUnlinking(null)
      toast.show({ title: `${providerName(provider)} disconnected` })
      await queryClient.invalidateQueries({ queryKey: keys.identities })
    },
    onError: () => setUnlinking(null),
  })
  if (identities.data?.length === 0 && providers.length === 0) return null
  const open = providers.filter((provider) => !identities.data?.some((identity) => identity.provider === provider))
  return (
    <Section
      title="Connected accounts"
      lead="Other accounts that sign you in here. They are connected by your address, once its owner has confirmed it."
    >
      {isApiError(unlink.error, 'conflict') ? (
        <Notice tone="warn" role="alert" title="This is your only way in">
          Set a password or add a passkey first, then disconnect it.
        </Notice>
      ) : (
        unlink.error && <ErrorNotice error={unlink.error} />
      )}
      {identities.isPending && <Loading label="Loading connected accounts" rows={1} />}
      {identities.error && <ErrorNotice error={identities.error} onRetry={() => void identities.refetch()} />}
      {identities.data && identities.data.length > 0 && (
        <ul className="divide-y divide-line rounded-xl border border-line" aria-label="Connected accounts">
          {identities.data.map((identity) => (
            <li key={identity.provider} className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3">
              <div className="min-w-0 flex-1 basis-48">
                <p className="font-medium">{providerName(identity.provider)}</p>
                <p className="truncate text-[0.87rem] text-ink-3">
                  {identity.email} · since {date(identity.linked_at)}
                  {identity.last_used_at && ` · used ${ago(identity.last_used_at)}`}
                </p>
              </div>
              <Button
                size="sm"
                aria-label={`Disconnect ${providerName(identity.provider)}`}
                onClick={() => setUnlinking(identity)}
              >
                <Unlink aria-hidden /> Disconnect
              </Button>
            </li>
          ))}
        </ul>
      )}
      {open.length > 0 && (
        <p className="text-[0.93rem] text-ink-3">
          To connect {open.map(providerName).join(' or ')}: sign in with it on the sign-in page, using an account of the
          same address.
        </p>
      )}
      <ConfirmDialog
        open={unlinking !== null}
        onOpenChange={(next) => !next && setUnlinking(null)}
        title={`Disconnect ${providerName(unlinking?.provider ?? '')}?`}
        confirm="Disconnect"
        busy={unlink.isPending}
        onConfirm={() => unlinking && unlink.mutate(unlinking)}
      >
        It stays disconnected until you sign in with it again.
      </ConfirmDialog>
    </Section>
  )
}
