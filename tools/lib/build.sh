# shellcheck shell=bash
# Configures and builds a preset of CMakePresets.json. Needs packages.sh.

# Share compiled files between clones in different folders.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
mkdir -p "$(ccache_folder)" 2>/dev/null || true
[[ -w $(ccache_folder) ]] || export CCACHE_DISABLE=1

# build PRESET [TARGET ...]: builds these targets, or everything.
build() {
  local begin=$SECONDS
  need client build build-tests
  say "Building $1${2:+: ${*:2}}"
  configure "$1"
  compile "build/$1" "${@:2}"
  echo "built in $((SECONDS - begin)) s"
}

# configure PRESET [OPTION ...]
configure() {
  local log=build/configure-$1.log
  mkdir -p build
  cmake --preset "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "could not configure"
  }
}

# compile FOLDER [TARGET ...]
compile() {
  local jobs
  jobs=$(jobs_at_once)
  cmake --build "$1" -j "$jobs" ${2:+--target "${@:2}"}
}

check_preset() {
  case $1 in
    release | dev | asan | tsan) ;;
    *) usage_error "no preset '$1': release, dev, asan or tsan; to choose tests: ./dev test -R '$1'" ;;
  esac
}
