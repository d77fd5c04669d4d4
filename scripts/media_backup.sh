#!/bin/sh
# Takes the object store's folder to BACKUP_DIR/media-<UTC time>.tar (.gpg with a key), with a checksum beside it; prints
# its path. Run it after pg_dump_daily.sh: then every object that the dump speaks of is in it.
#
#   MEDIA_ROOT               the folder of the objects
#   BACKUP_DIR, RETAIN_DAYS  /backups, 30
#   BACKUP_PUBLIC_KEY_FILE   an OpenPGP public key: then the artifact is encrypted to it
#   BACKUP_TIMEOUT_SECONDS   14400
#
# Exit: 0 done, 1 failed, 2 a bad setting, 75 one runs already.

. "$(dirname -- "$0")/backup_lib.sh"

[ -n "${MEDIA_ROOT:-}" ] || refuse "MEDIA_ROOT: is not set"
[ -d "$MEDIA_ROOT" ] || refuse "MEDIA_ROOT: $MEDIA_ROOT is no folder; is the volume mounted?"
need tar grep
begin media

# A folder that lost its mount is empty, and its backups would in the end push the good ones out.
if [ -z "$(find "$MEDIA_ROOT" -type f ! -path '*/.staging/*' -print -quit)" ] &&
    [ -n "$(find "$BACKUP_DIR" -maxdepth 1 -type f -name 'media-*.tar*' ! -name '*.sha256' -size +40 -print -quit)" ]; then
    fail "MEDIA_ROOT: $MEDIA_ROOT is empty, and it was not before; is the volume mounted?"
fi

take() {
    code=0
    timeout "$BACKUP_TIMEOUT_SECONDS" tar --create --file=- --directory="$MEDIA_ROOT" --sort=name --numeric-owner \
        --exclude='*#*' --exclude=.staging . || code=$?
    # 1: a file went away while it was read. Objects never change, so that one was deleted by its owner.
    [ "$code" -le 1 ]
}

# Not compressed: PDF, Word and pictures are already.
{ take || mark tar; } | { seal || mark write; } >"$work/tar" || mark write
keep "$work/tar" "media-$stamp.tar$(suffix)"
