# shellcheck shell=bash
# Installs Debian packages.

# packages LIST ...: the packages of these lists in tools/packages.
packages() {
  local list found
  for list; do
    found=$(sed -n "s/^$list: *//p" tools/packages)
    [[ -n $found ]] || fail "tools/packages has no list '$list'"
    printf '%s\n' "$found"
  done
}

is_installed() {
  # Node.js, npm and Go often come from elsewhere, and Debian's packages would conflict with them.
  case $1 in
    nodejs) command -v node >/dev/null && return ;;
    npm) command -v npm >/dev/null && return ;;
    golang-go) command -v go >/dev/null && return ;;
  esac
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# need LIST ...: installs the packages of these lists that are missing. With --no-install, fails and
# names them.
need() {
  local wanted
  wanted=$(packages "$@")
  # shellcheck disable=SC2086
  need_packages $wanted
}

need_packages() {
  local package missing=()
  if ! command -v dpkg-query >/dev/null; then
    [[ -z ${ROLLCALL_NO_INSTALL:-} ]] || return 0
    fail "this is not a Debian system, so nothing can be installed. Either work in a container,
  docker run --rm -it -v \"\$PWD\":/rollcall -w /rollcall debian:12 ./dev demo
or install what these Debian packages contain and add --no-install:
  $*"
  fi
  for package; do
    [[ " ${missing[*]-} " == *" $package "* ]] || is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local command="apt-get install --no-install-recommends ${missing[*]}"
  [[ -z ${ROLLCALL_NO_INSTALL:-} ]] || fail "missing packages; as root: $command"
  [[ $(id -u) == 0 ]] || command -v sudo >/dev/null || fail "missing packages, and no sudo; as root: $command"
  install_packages "${missing[@]}"
}

install_packages() {
  local begin=$SECONDS log
  say "Installing $*"
  log=$(mktemp)
  # The update may fail because of a repository that is not needed here, so the install decides.
  as_root apt-get -q update </dev/null >"$log" 2>&1 || echo 'dev: apt-get update failed' >>"$log"
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends "$@" </dev/null >>"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    # shellcheck source=/dev/null
    fail "could not install the packages. Their names are those of Debian 12 and 13; this is $(
      . /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-unknown}")"
  fi
  rm -f "$log"
  echo "installed in $((SECONDS - begin)) s"
}
