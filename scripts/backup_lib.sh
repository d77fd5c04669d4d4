# What pg_dump_daily.sh and media_backup.sh share; sourced, not run. See docs/backups.md.
#
# An artifact appears under its name when it is whole, synced and has its checksum beside it, or not at all: it is
# written in a hidden folder on the same disk and renamed. A killed run leaves only that folder; the next one removes it.

set -eu
umask 077
export LC_ALL=C
unset CDPATH

# A bad setting ends with 2, a failed backup with 1, a second one at the same time with 75 (try again later).
say() { printf '%s\n' "$*" >&2; }
fail() { say "${0##*/}: $*"; exit 1; }
refuse() { say "${0##*/}: $*"; exit 2; }

need() {
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || refuse "$program is not installed"
    done
}

number() { # NAME VALUE
    case $2 in '' | *[!0-9]* | 0*) refuse "$1: $2 is not a number of 1 or more" ;; esac
}

clean_up() {
    code=$?
    trap - EXIT
    [ -z "${work:-}" ] || rm -rf "$work"
    exit "$code"
}

begin() { # KIND: checks the settings, takes the lock, makes the hidden folder
    kind=$1
    BACKUP_DIR=${BACKUP_DIR:-/backups}
    RETAIN_DAYS=${RETAIN_DAYS:-30}
    # Four hours: a night. A backup that takes longer meets the next working day.
    BACKUP_TIMEOUT_SECONDS=${BACKUP_TIMEOUT_SECONDS:-14400}
    number RETAIN_DAYS "$RETAIN_DAYS"
    number BACKUP_TIMEOUT_SECONDS "$BACKUP_TIMEOUT_SECONDS"
    need flock mktemp sha256sum sync timeout find date
    if [ -n "${BACKUP_PUBLIC_KEY_FILE:-}" ]; then
        need gpg
        [ -r "$BACKUP_PUBLIC_KEY_FILE" ] || refuse "BACKUP_PUBLIC_KEY_FILE: cannot read $BACKUP_PUBLIC_KEY_FILE"
        [ -s "$BACKUP_PUBLIC_KEY_FILE" ] || refuse "BACKUP_PUBLIC_KEY_FILE: $BACKUP_PUBLIC_KEY_FILE is empty"
    fi
    mkdir -p "$BACKUP_DIR" || fail "cannot make $BACKUP_DIR"
    exec 9>"$BACKUP_DIR/.$kind.lock" || fail "cannot write in $BACKUP_DIR"
    if ! flock -n 9; then
        say "${0##*/}: another $kind backup is running on $BACKUP_DIR"
        exit 75
    fi
    rm -rf "$BACKUP_DIR/.partial-$kind-"*
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    work=$(mktemp -d "$BACKUP_DIR/.partial-$kind-XXXXXX") || fail "cannot write in $BACKUP_DIR"
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
}

# A plain sh has no pipefail: each half of a pipe that fails leaves its mark.
mark() { : >"$work/failed-$1"; }

seal() { # standard input to standard output, encrypted when there is a key
    if [ -n "${BACKUP_PUBLIC_KEY_FILE:-}" ]; then
        mkdir -p "$work/gnupg"
        # A file as recipient: no keyring, no agent; and this machine cannot read what it has written.
        gpg --batch --no-tty --quiet --homedir "$work/gnupg" --no-autostart --trust-model always \
            --compress-algo none --recipient-file "$BACKUP_PUBLIC_KEY_FILE" --encrypt
    else
        cat
    fi
}

suffix() { [ -z "${BACKUP_PUBLIC_KEY_FILE:-}" ] || printf '.gpg'; }

keep() { # FILE NAME: gives a finished file its checksum and its place, and removes what is too old
    for failed in "$work"/failed-*; do
        [ ! -e "$failed" ] || fail "failed (${failed##*/failed-}); nothing was kept"
    done
    [ -s "$1" ] || fail "made an empty file; nothing was kept"
    target=$BACKUP_DIR/$2
    [ ! -e "$target" ] || fail "$target is there already"
    sum=$(sha256sum <"$1") || fail "cannot read back what was written"
    printf '%s  %s\n' "${sum%% *}" "$2" >"$work/sum"
    sync "$1" "$work/sum" || fail "cannot sync what was written"
    # The checksum first: an artifact that is there always has its own.
    mv "$work/sum" "$target.sha256"
    if ! mv "$1" "$target"; then
        rm -f "$target.sha256"
        fail "cannot move the artifact into place"
    fi
    sync "$BACKUP_DIR" || fail "cannot sync $BACKUP_DIR"
    (cd "$BACKUP_DIR" && sha256sum --check --status "$2.sha256") || fail "$target does not read back as written"
    prune "$2"
    printf '%s\n' "$target"
}

prune() { # NAME: only after a good artifact was made, and never that one
    find "$BACKUP_DIR" -maxdepth 1 -type f -name "$kind-*" ! -name '*.sha256' ! -name "$1" \
        -mtime "+$RETAIN_DAYS" -exec rm -f {} + -exec sh -c 'for gone; do rm -f "$gone.sha256"; done' sh {} +
    for sum in "$BACKUP_DIR/$kind-"*.sha256; do
        [ -e "${sum%.sha256}" ] || rm -f "$sum"
    done
}
