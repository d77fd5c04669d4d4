import { useMutation, useQuery } from '@tanstack/react-query'
import { Check, Copy, Download, FileCode2, FileText, FileType2, LoaderCircle } from 'lucide-react'
import { useState } from 'react'

import {
  api,
  download,
  exportsQuery,
  isRendering,
  keys,
  queryClient,
  type Export,
  type ExportFormat,
  type Section,
} from '@/api'
import { Button, IconButton } from '@/ui/button'
import { Badge, ErrorNotice, Loading, Notice } from '@/ui/feedback'
import { ago, bytes, plural } from '@/ui/format'
import { toast } from '@/ui/toast'

import { OptionsForm } from './options-form'
import { asRequest, rememberOptions, rememberedOptions } from './options'
import { TemplateSetting } from './template'
import { VerifyFile } from './verify'

const FORMATS = [
  { format: 'pdf', name: 'PDF', what: 'To submit, tagged and archivable', icon: FileText },
  { format: 'docx', name: 'Word', what: 'To edit further (DOCX)', icon: FileType2 },
  { format: 'md', name: 'Markdown', what: 'Plain text, to keep anywhere', icon: FileCode2 },
] as const

const NAMES: Record<ExportFormat, string> = { pdf: 'PDF', docx: 'Word', md: 'Markdown' }

interface PanelProps {
  proposalId: string
  title: string
  sections: Section[]
}

export function ExportPanel({ proposalId, title, sections }: PanelProps) {
  const exports = useQuery(exportsQuery(proposalId))
  const [options, setOptions] = useState(rememberedOptions)
  const approved = sections.filter((s) => s.status === 'approved').length
  const create = useMutation({
    mutationFn: async (format: ExportFormat) => {
      // The revision that an export would show now; the exports service waits until it has seen it.
      const { revision } = await api.getProposal(proposalId)
      rememberOptions(options)
      return api.createExport({ proposal_id: proposalId, format, proposal_revision: revision, ...asRequest(options) })
    },
    onSuccess: async (made) => {
      const known = exports.data?.some((item) => item.id === made.id && item.status === 'done')
      await queryClient.invalidateQueries({ queryKey: keys.exports(proposalId) })
      if (known)
        toast.show({ title: `The ${NAMES[made.format]} file is up to date`, description: 'It is under Files already.' })
    },
  })
  return (
    <div className="space-y-5">
      {approved === 0 ? (
        <Notice title="Approve a section first">
          Only approved text goes into the file, so that it says what you stand behind.
        </Notice>
      ) : (
        <p className="text-ink-2">
          {approved === sections.length
            ? `All ${plural(sections.length, 'section')} are approved.`
            : `${approved} of ${plural(sections.length, 'section')} approved; the others are left out.`}
        </p>
      )}
      <OptionsForm options={options} onChange={setOptions} />
      {create.error && <ErrorNotice error={create.error} />}
      <div className="space-y-2">
        {FORMATS.map(({ format, name, what, icon: Icon }) => {
          const busy = create.isPending && create.variables === format
          return (
            <button
              key={format}
              type="button"
              disabled={approved === 0 || create.isPending}
              aria-busy={busy || undefined}
              onClick={() => create.mutate(format)}
              className="card flex w-full items-center gap-3.5 px-4 py-3 text-left transition-colors not-disabled:hover:border-accent not-disabled:hover:bg-accent-soft/40 disabled:opacity-60"
            >
              <Icon className="size-5 text-accent-ink" aria-hidden />
              <span className="flex-1">
                <span className="block font-semibold">Export as {name}</span>
                <span className="block text-[0.9rem] text-ink-3">{busy ? 'Preparing the file…' : what}</span>
              </span>
              {busy && <LoaderCircle className="size-4 animate-spin" aria-hidden />}
            </button>
          )
        })}
      </div>
      <section aria-labelledby="files">
        <h3 id="files" className="mb-2 font-semibold">
          Files
        </h3>
        {exports.isPending && <Loading label="Loading exports" rows={1} />}
        {exports.error && <ErrorNotice error={exports.error} onRetry={() => void exports.refetch()} />}
        {exports.data?.length === 0 && <p className="text-[0.93rem] text-ink-3">Your exports appear here.</p>}
        <ul className="space-y-2">
          {exports.data?.map((item) => (
            <ExportRow key={item.id} item={item} title={title} />
          ))}
        </ul>
      </section>
      <TemplateSetting />
      <VerifyFile />
    </div>
  )
}

function ExportRow({ item, title }: { item: Export; title: string }) {
  const [loading, setLoading] = useState(false)
  const name = item.filename ?? `${title}.${item.format}`
  const save = async () => {
    setLoading(true)
    try {
      await download(item.url ?? `/api/exports/${item.id}/file`, name)
    } catch (error) {
      toast.error(error)
    } finally {
      setLoading(false)
    }
  }
  return (
    <li className="rounded-xl border border-line px-3.5 py-3">
      <div className="flex items-center gap-2.5">
        <div className="min-w-0 flex-1">
          <p className="font-medium">{NAMES[item.format]}</p>
          <p className="text-[0.87rem] text-ink-3">
            {[
              item.size ? bytes(item.size) : null,
              item.pages ? plural(item.pages, 'page') : null,
              item.created_at ? ago(item.created_at) : null,
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        </div>
        {isRendering(item) ? (
          <Badge tone="warn">Preparing</Badge>
        ) : item.status === 'failed' ? (
          <Badge tone="danger">Failed</Badge>
        ) : (
          <Button size="sm" busy={loading} onClick={() => void save()} aria-label={`Download ${NAMES[item.format]}`}>
            <Download aria-hidden /> Download
          </Button>
        )}
      </div>
      {item.status === 'failed' && (
        <p className="mt-1.5 text-[0.9rem] text-danger">{failure(item.error)} Export it again.</p>
      )}
      <PageLimit item={item} />
      {item.missing_glyphs.length > 0 && (
        <p className="mt-1.5 text-[0.9rem] text-warn">
          {plural(item.missing_glyphs.length, 'character')} could not be shown and became □:{' '}
          {item.missing_glyphs.map((one) => one.code_point).join(', ')}
        </p>
      )}
      {item.sha256 && <Fingerprint sha256={item.sha256} />}
    </li>
  )
}

/** Whether the file is as short as its funder wants it. */
function PageLimit({ item }: { item: Export }) {
  if (item.status !== 'done' || item.page_limit == null) return null
  if (item.pages == null)
    return (
      <p className="mt-1.5 text-[0.9rem] text-ink-3">
        Limit of {plural(item.page_limit, 'page')}: only Word itself can count this file’s pages.
      </p>
    )
  return (
    <p className={`mt-1.5 text-[0.9rem] ${item.within_page_limit ? 'text-ok' : 'text-danger'}`}>
      {item.within_page_limit
        ? `Within the limit: ${item.pages} of ${plural(item.page_limit, 'page')}.`
        : `${plural(item.pages - item.page_limit, 'page')} over the limit of ${item.page_limit}.`}
    </p>
  )
}

function failure(error: unknown): string {
  const detail = error && typeof error === 'object' && 'detail' in error ? error.detail : error
  return typeof detail === 'string' && detail ? detail : 'The file could not be made.'
}

/** What anyone can check the file against. */
function Fingerprint({ sha256 }: { sha256: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(sha256)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <div className="mt-1.5 flex items-center gap-1 text-[0.8rem] text-ink-3">
      <span>SHA-256</span>
      <code className="min-w-0 flex-1 truncate" title={sha256}>
        {sha256}
      </code>
      <IconButton
        label={copied ? 'Copied' : 'Copy the SHA-256'}
        className="size-7!"
        onClick={() => void copy().catch(toast.error)}
      >
        {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      </IconButton>
    </div>
  )
}
