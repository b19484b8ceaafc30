# shellcheck shell=bash
# Tools at fixed versions that Debian does not package, from npm and Go modules. They are kept in
# build/. Needs common.sh.

buf_version=1.75.0
# The newest version that Debian 12's Go can build.
kustomize_version=4.5.7
# Module, version, and the program's folder in the module; also the newest versions that Debian 12's
# Go can build.
client_tools=("github.com/fullstorydev/grpcurl v1.9.1 /cmd/grpcurl" "github.com/bojand/ghz v0.117.0 /cmd/ghz"
  "github.com/grpc-ecosystem/grpc-health-probe v0.4.19")
manifest_modules=(kubernetes-models@5.1.0 @kubernetes-models/cert-manager@4.4.4
  @kubernetes-models/prometheus-operator@6.0.0 typescript@5.4.5 yaml@2.9.0)

buf=build/tools/buf-$buf_version/node_modules/.bin/buf
kustomize=build/tools/kustomize-$kustomize_version/kustomize
client_tools_bin=build/interop/bin
manifest_modules_dir=build/tools/manifests

npm_install() {
  npm install --prefix "$1" --no-save --no-audit --no-fund --loglevel=error "${@:2}"
}

need_buf() { [[ -x $buf ]] || npm_install "build/tools/buf-$buf_version" "@bufbuild/buf@$buf_version"; }

need_kustomize() {
  [[ -x $kustomize ]] ||
    GOBIN=$PWD/${kustomize%/*} go install "sigs.k8s.io/kustomize/kustomize/v4@v$kustomize_version"
}

# The schemas of Kubernetes and of the custom resources that the manifests use.
need_manifest_modules() {
  [[ $(cat "$manifest_modules_dir/versions" 2>/dev/null) != "${manifest_modules[*]}" ]] || return 0
  rm -rf "$manifest_modules_dir"
  npm_install "$manifest_modules_dir" "${manifest_modules[@]}"
  echo "${manifest_modules[*]}" >"$manifest_modules_dir/versions"
}

# build_go_tool FOLDER MODULE VERSION [PROGRAM]: `go install` would ask for all versions of the module,
# which not every module proxy lists.
build_go_tool() {
  local work
  work=$(mktemp -d)
  (
    cd "$work"
    go mod init tool
    go mod edit -require="$2@$3"
    go build -mod=mod -o "$1/" "$2${4:-}"
  ) >"$work/log" 2>&1 || fail "could not build $2: $(tail -n 20 "$work/log")"
  rm -rf "$work"
}

# grpcurl, ghz, grpc-health-probe and buf.
need_client_tools() {
  local tool words
  need_buf
  [[ $(cat "$client_tools_bin/versions" 2>/dev/null) != "${client_tools[*]}" ]] || return 0
  rm -rf "$client_tools_bin"
  for tool in "${client_tools[@]}"; do
    say "Building $tool"
    read -ra words <<<"$tool"
    build_go_tool "$PWD/$client_tools_bin" "${words[@]}"
  done
  echo "${client_tools[*]}" >"$client_tools_bin/versions"
}

# Prints the path of promtool. Debian's package is only unpacked, because installing it would start a
# Prometheus server.
find_promtool() {
  local dir=build/tools/prometheus
  if command -v promtool; then return; fi
  if [[ ! -x $dir/usr/bin/promtool ]]; then
    mkdir -p "$dir"
    (
      cd "$dir" || exit
      apt-get -q download prometheus ||
        { as_root apt-get -q update </dev/null && apt-get -q download prometheus; }
      dpkg-deb -x prometheus_*.deb .
    ) >&2
  fi
  printf '%s\n' "$dir/usr/bin/promtool"
}
