#!/bin/sh
# Dumps the database to BACKUP_DIR/db-<UTC time>.dump (.gpg with a key), with a checksum beside it; prints its path.
#
#   BACKUP_DATABASE_URL      the role `backup`: it reads past row-level security and may change nothing (or ..._FILE)
#   BACKUP_DIR, RETAIN_DAYS  /backups, 30
#   BACKUP_PUBLIC_KEY_FILE   an OpenPGP public key: then the artifact is encrypted to it
#   BACKUP_TIMEOUT_SECONDS   14400
#
# pg_dump on PATH must be of the server's version or newer. Exit: 0 done, 1 failed, 2 a bad setting, 75 one runs already.

. "$(dirname -- "$0")/backup_lib.sh"

if [ -z "${BACKUP_DATABASE_URL:-}" ] && [ -n "${BACKUP_DATABASE_URL_FILE:-}" ]; then
    BACKUP_DATABASE_URL=$(cat "$BACKUP_DATABASE_URL_FILE") || refuse "BACKUP_DATABASE_URL_FILE: cannot be read"
fi
[ -n "${BACKUP_DATABASE_URL:-}" ] || refuse "BACKUP_DATABASE_URL: is not set"
need pg_dump sed
begin db

decode() { # percent escapes, as an address has them
    printf '%s' "$1" | sed 's,%\([0-9A-Fa-f][0-9A-Fa-f]\),\n%\1\n,g' | while IFS= read -r part || [ -n "$part" ]; do
        case $part in
            %??) printf '%b' "\\0$(printf '%03o' "0x${part#%}")" ;;
            *) printf '%s' "$part" ;;
        esac
    done
}

# Everybody on the machine can read a command line: the password goes through the environment.
url=$BACKUP_DATABASE_URL
case $url in
    *://*:*@*)
        password=$(printf '%s' "$url" | sed 's,^[^:]*://[^:@/]*:\([^@/]*\)@.*$,\1,')
        url=$(printf '%s' "$url" | sed 's,^\([^:]*://[^:@/]*\):[^@/]*@,\1@,')
        PGPASSWORD=$(decode "$password")
        export PGPASSWORD
        ;;
esac
export PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}" PGAPPNAME=bidwright-backup

# One snapshot of all schemas, so that what one service knows of another fits together.
{ timeout "$BACKUP_TIMEOUT_SECONDS" pg_dump --format=custom --lock-wait-timeout=60s --no-password --dbname="$url" || mark pg_dump; } |
    { seal || mark write; } >"$work/dump" || mark write
keep "$work/dump" "db-$stamp.dump$(suffix)"
