import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'

import { invoicesQuery, type Invoice } from '@/api'
import { Badge, ErrorNotice, Loading } from '@/ui/feedback'
import { date, money } from '@/ui/format'

const STATUS: Record<string, { label: string; tone: 'ok' | 'warn' | 'neutral' }> = {
  paid: { label: 'Paid', tone: 'ok' },
  open: { label: 'To be paid', tone: 'warn' },
  uncollectible: { label: 'Not paid', tone: 'warn' },
  void: { label: 'Void', tone: 'neutral' },
  draft: { label: 'Being made', tone: 'neutral' },
}

/** What was billed, with the documents; nothing at all for who never bought anything. */
export function Invoices() {
  const invoices = useQuery(invoicesQuery())
  if (invoices.data?.length === 0) return null
  return (
    <section aria-labelledby="invoices">
      <h2 id="invoices" className="mb-3 text-[1.15rem] font-semibold">
        Invoices
      </h2>
      {invoices.isPending && <Loading label="Loading invoices" rows={1} />}
      {invoices.error && <ErrorNotice error={invoices.error} onRetry={() => void invoices.refetch()} />}
      {invoices.data && (
        <ul className="card divide-y divide-line" aria-label="Invoices">
          {invoices.data.map((invoice) => (
            <Row key={invoice.id} invoice={invoice} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Row({ invoice }: { invoice: Invoice }) {
  const { number, created, total, currency, hosted_url, pdf_url } = invoice
  const status = STATUS[invoice.status ?? '']
  const name = number ?? date(created)
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
      <span className="min-w-32 flex-1 font-medium">{date(created)}</span>
      <span className="text-[0.93rem] text-ink-3">{number}</span>
      {status && <Badge tone={status.tone}>{status.label}</Badge>}
      <span className="min-w-20 text-right tabular-nums">{money(total, currency)}</span>
      {invoice.status === 'open' && hosted_url && (
        <a className="font-medium text-accent-ink underline" href={hosted_url} aria-label={`Pay invoice ${name}`}>
          Pay
        </a>
      )}
      {pdf_url && (
        <a
          className="inline-flex items-center gap-1.5 font-medium text-accent-ink hover:underline [&_svg]:size-4"
          href={pdf_url}
          aria-label={`Invoice ${name} as PDF`}
          download
        >
          <Download aria-hidden /> PDF
        </a>
      )}
    </li>
  )
}
