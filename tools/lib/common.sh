# shellcheck shell=bash
# Sourced first by every script in tools/. Changes to the repository's top folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

usage_error() {
  printf 'dev: %s\nSee ./dev help.\n' "$*" >&2
  exit 2
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# How many compilers may run at once.
jobs_at_once() {
  local jobs=${ROLLCALL_JOBS:-}
  if [[ -z $jobs ]]; then
    jobs=$(nproc 2>/dev/null || echo 1)
    jobs=$((jobs < 2 ? jobs : 2))
  fi
  [[ $jobs =~ ^[1-9][0-9]*$ ]] || fail "ROLLCALL_JOBS is '$jobs'; it must be a number from 1 on"
  echo "$jobs"
}

project_version() { sed -n 's/^project(rollcall VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt; }

# Where ccache keeps compiled files.
ccache_folder() { echo "${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/ccache}"; }

# Debian's own Python, because another one does not find Debian's packages.
debian_python() { if [[ -x /usr/bin/python3 ]]; then echo /usr/bin/python3; else echo python3; fi; }

# Fails unless own_files() can list the repository's files.
need_repository() {
  git ls-files >/dev/null || fail "git cannot list the repository's files; this command works in a git clone that you own"
}

# own_files PATTERN ...: the repository's files, tracked or about to be, one a line.
own_files() {
  local file
  git ls-files -z -co --exclude-standard -- "$@" | sort -zu | while IFS= read -r -d '' file; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done
}
