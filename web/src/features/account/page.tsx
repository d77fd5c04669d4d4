import { useSuspenseQuery } from '@tanstack/react-query'

import { meQuery } from '@/api'
import { Page } from '@/ui/page'

import { DeleteAccount } from './delete'
import { FreshSignIn } from './fresh-dialog'
import { Identities } from './identities'
import { Passkeys } from './passkeys'
import { Password } from './password'
import { Profile } from './profile'
import { Sessions } from './sessions'

export default function Account() {
  const { data: me } = useSuspenseQuery(meQuery)
  return (
    <Page title="Your account" lead="Who you are here, how you sign in, and where you are signed in.">
      <div className="card p-5 sm:p-7">
        <Profile user={me.user} />
        <Password user={me.user} />
        <Passkeys user={me.user} />
        <Identities />
        <Sessions />
        <DeleteAccount me={me} />
      </div>
      <FreshSignIn user={me.user} />
    </Page>
  )
}
