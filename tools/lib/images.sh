# shellcheck shell=bash
# Builds the container images and runs them. Needs packages.sh; scan_image and try_images write to
# $scratch.

engine=
scratch=
version=$(project_version)
image_names=(rollcalld rollcall-demo)
containers=()
network=

# The name of an image, which the kustomize files use, too.
image() { echo "localhost/$1:$version"; }

find_engine() {
  for engine in podman docker; do
    # Docker's client is useless without its daemon.
    ! "$engine" info >/dev/null 2>&1 || return 0
  done
  need image-engine
  engine=podman
}

# build_image NAME OPTION ...: the options go to the engine's build.
build_image() {
  local name=$1 commit jobs platform options=()
  shift
  jobs=$(jobs_at_once)
  commit=$(git rev-parse HEAD)
  if [[ $engine == podman ]]; then
    # A fixed time, so that the same input gives the same image.
    options=(--timestamp "$(git log -1 --format=%ct)")
    platform=$(podman version --format '{{.Client.OsArch}}')
  else
    platform=$(docker version --format '{{.Client.Os}}/{{.Client.Arch}}')
  fi
  [[ -z $(git status --porcelain) ]] || commit+=-changed
  say "Building $(image "$name")"
  DOCKER_BUILDKIT=1 "$engine" build "${options[@]}" --target "${name#rollcall-}" --build-arg BUILDPLATFORM="$platform" \
    --build-arg JOBS="$jobs" --build-arg VERSION="$version" --build-arg REVISION="$commit" "$@" .
}

# build_images [OPTION ...]
build_images() {
  local name
  for name in "${image_names[@]}"; do build_image "$name" --tag "$(image "$name")" "$@"; done
}

# Writes build/image/NAME.tar, an OCI index with an image for each architecture, and runs the programs
# of the arm64 image with qemu-user. Options are as for build_images.
build_indexes() {
  local name index root program architecture
  mkdir -p build/image
  for name in "${image_names[@]}"; do
    index=$(image "$name")-index
    ! "$engine" manifest exists "$index" || "$engine" manifest rm "$index" >/dev/null
    "$engine" manifest create "$index" >/dev/null
    for architecture in amd64 arm64; do
      build_image "$name" --platform "linux/$architecture" --tag "$(image "$name")-$architecture" "$@"
      "$engine" manifest add "$index" "containers-storage:$(image "$name")-$architecture" >/dev/null
    done
    root=$scratch/$name
    unpack_image "$root" "$(image "$name")-arm64"
    k8s/image/scan "$root" | tail -n 1
    for program in "$root"/usr/bin/*; do
      qemu-aarch64-static -L "$root" "$program" --help >/dev/null || fail "${program##*/} for arm64 does not run"
      echo "${program##*/} runs on arm64"
    done
    rm -f "build/image/$name.tar"
    "$engine" manifest push --quiet --all "$index" "oci-archive:build/image/$name.tar" >/dev/null
    echo "build/image/$name.tar"
  done
}

# image_contents NAME: digests of the layers, and the configuration. The image's own id would also
# depend on when cached steps ran.
image_contents() { "$engine" image inspect --format '{{.RootFS.Layers}} {{json .Config}}' "$(image "$1")"; }

# unpack_image FOLDER IMAGE: creates the folder.
unpack_image() {
  local container
  container=$("$engine" create "$2" /none)
  containers+=("$container")
  mkdir "$1"
  "$engine" export "$container" | tar -x -C "$1"
}

# Lists what an image contains, and its size.
scan_image() {
  say "Contents of $(image "$1")"
  unpack_image "$scratch/$1" "$(image "$1")"
  k8s/image/scan "$scratch/$1"
  printf '%s: %d MB\n' "$(image "$1")" $(($("$engine" image inspect --format '{{.Size}}' "$(image "$1")") / 1000000))
}

# run_locked NAME IMAGE [OPTION ... --] COMMAND ...: runs a container with more restrictions than
# Kubernetes' "restricted" policy requires, on the network of this run.
run_locked() {
  local name=$1 image=$2 options=(--read-only --cap-drop=all --security-opt=no-new-privileges --user=65532:65532
    --memory=256m --pids-limit=64)
  shift 2
  [[ $engine == docker ]] || options+=(--read-only-tmpfs=false)
  while (($#)) && [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  "$engine" run --name "$network-$name" --network "$network" --network-alias "$name" "${options[@]}" \
    "$(image "$image")" "$@"
}

remove_containers() {
  local container
  # One by one, because podman removes none if it does not know one.
  for container in ${containers[@]+"${containers[@]}"}; do
    "$engine" rm -f "$container" >/dev/null 2>&1 || true
  done
  [[ -z $network ]] || "$engine" network rm "$network" >/dev/null || true
  containers=()
  network=
}

# await_output CONTAINER TEXT
await_output() {
  # shellcheck disable=SC2016
  timeout 60 bash -c 'until "$1" logs "$2" 2>&1 | grep -q "$3"; do sleep 0.1; done' - "$engine" "$1" "$2" ||
    fail "$1 did not print '$2': $("$engine" logs "$1" 2>&1 | tail -n 5)"
}

# Reads lists through both images with the demo's configuration, stops rollcalld by SIGTERM, and
# checks production's configuration.
try_images() {
  local count code list=CF90000000000000000000000000005000 config=/etc/rollcall/config/rollcalld.json
  say "Running them: no root, no capabilities, no writable file, 256 MB, 64 threads"
  network=rollcall-$$
  "$engine" network create "$network" >/dev/null
  containers+=("$network-simulator" "$network-rollcalld" "$network-client" "$network-check")
  run_locked simulator rollcall-demo --detach -- /usr/bin/provider-simulator --listen 0.0.0.0:8080 >/dev/null
  await_output "$network-simulator" 'listening on'
  run_locked rollcalld rollcalld --detach --volume "$PWD/k8s/overlays/demo/rollcalld.json:$config:ro" -- \
    --config "$config" >/dev/null
  await_output "$network-rollcalld" 'listening on'
  count=$(run_locked client rollcall-demo -- \
    /usr/bin/rollcall list conference "$list" --server rollcalld:50051 --output ndjson | wc -l)
  [[ $count == 5000 ]] || fail "$count participants, not 5000"
  echo "$count participants"
  "$engine" stop --time 60 "$network-rollcalld" >/dev/null
  code=$("$engine" inspect --format '{{.State.ExitCode}}' "$network-rollcalld")
  [[ $code == 0 ]] || fail "rollcalld, process 1 of its container, exited with $code on SIGTERM"
  echo "rollcalld exited with 0 on SIGTERM"
  check_production
}

check_production() {
  local files=$scratch/files config=/etc/rollcall/config/rollcalld.json
  mkdir -p "$files"/{credentials,tls}
  echo secret >"$files/credentials/twilio-auth-token"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=rollcalld \
    -keyout "$files/tls/tls.key" -out "$files/tls/tls.crt" 2>/dev/null
  cp "$files/tls/tls.crt" "$files/tls/ca.crt"
  chmod -R a+rX "$scratch"
  run_locked check rollcalld --volume "$PWD/k8s/overlays/production/rollcalld.json:$config:ro" \
    --volume "$PWD/k8s/overlays/production/policy.json:/etc/rollcall/policy/policy.json:ro" \
    --volume "$files/credentials:/etc/rollcall/credentials:ro" --volume "$files/tls:/etc/rollcall/tls:ro" -- \
    --config "$config" --check-config
}
