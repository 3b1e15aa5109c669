#!/bin/sh
# The one image's commands: web | worker | migrate | setup | doctor | manage ARGUMENTS...
set -eu
cd "$(dirname "$0")/.."

manage() {
    python manage.py "$@"
}

# Web and worker wait for the migration that a deployment runs beside them, and say so when it does not come.
wait_for_migrations() {
    manage mash_migrate --check --wait "${MASH_START_WAIT_SECONDS:-60}"
}

command="${1:-web}"
if [ $# -gt 0 ]; then shift; fi

case "$command" in
    web)
        wait_for_migrations
        exec python manage.py mash_web --host "${HOST:-0.0.0.0}" "$@"
        ;;
    worker)
        wait_for_migrations
        exec python manage.py mash_worker "$@"
        ;;
    migrate)
        exec python manage.py mash_migrate --wait "${MASH_START_WAIT_SECONDS:-60}" "$@"
        ;;
    setup)
        exec python manage.py mash_run --prepare-only "$@"
        ;;
    doctor)
        exec python manage.py mash_doctor "$@"
        ;;
    manage)
        exec python manage.py "$@"
        ;;
    *)
        echo "Unknown command: $command. Use web, worker, migrate, setup, doctor or manage ARGUMENTS..." >&2
        exit 2
        ;;
esac
