# shellcheck shell=bash
# Configures and builds a preset of CMakePresets.json. Needs packages.sh.

# build PRESET [TARGET ...]: builds these targets, or everything.
build() {
  local preset=$1 begin=$SECONDS log jobs
  shift
  # Share compiled files between clones in different folders.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  need client build build-tests
  say "Building $preset${*:+: $*}"
  mkdir -p build
  log=build/configure-$preset.log
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    fail "could not configure"
  fi
  jobs=$(jobs_at_once)
  cmake --build "build/$preset" -j "$jobs" ${1:+--target "$@"}
  echo "built in $((SECONDS - begin)) s"
}

check_preset() {
  case $1 in
    release | dev | asan | tsan) ;;
    *) usage_error "no preset '$1': release, dev, asan or tsan" ;;
  esac
}
