# shellcheck shell=bash
# Starts and stops the provider simulator and rollcalld for `./dev demo` and `./dev up`. Needs
# build.sh. The caller may set `listen`, the address for rollcalld.

bin=build/release/bin
listen=127.0.0.1:0
scratch=
running=()

# A conference with two participants, and a generated one: "CF9" and the number of participants.
conference=CFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
generated_count=5000
# shellcheck disable=SC2034  # Read by demo and up.
generated=CF9$(printf '%031d' "$generated_count")

# Stops the servers in reverse order. Fails if one of them exits with an error.
stop_servers() {
  local i status=0
  for ((i = ${#running[@]} - 1; i >= 0; i--)); do
    kill -TERM "${running[i]}" 2>/dev/null || true
    wait "${running[i]}" || status=$?
  done
  running=()
  return "$status"
}

clean_up_servers() {
  stop_servers || true
  [[ -z $scratch ]] || rm -rf "$scratch"
}

# start_server NAME COMMAND ...: waits for the line that names the address it listens on and leaves
# the address in $address. Later output goes to $scratch/NAME.log.
start_server() {
  local name=$1 line
  shift
  mkfifo "$scratch/$name.out"
  "$@" >"$scratch/$name.out" 2>"$scratch/$name.log" </dev/null &
  running+=($!)
  exec 3<"$scratch/$name.out"
  while IFS= read -r line <&3; do
    if [[ $line == *"listening on "* ]]; then
      address=${line##*listening on }
      # Keep reading, or a full pipe would block the server.
      cat <&3 >>"$scratch/$name.log" &
      exec 3<&-
      echo "$line"
      return
    fi
  done
  exec 3<&-
  cat "$scratch/$name.log" >&2
  fail "$name exited before it listened"
}

# Builds and starts both servers, and exports rollcalld's address as ROLLCALL_SERVER for the client.
start_servers() {
  build release rollcalld rollcall provider-simulator
  trap clean_up_servers EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  scratch=$(mktemp -d)

  say "Starting the provider simulator, and rollcalld in front of it"
  start_server provider-simulator "$bin/provider-simulator" --listen 127.0.0.1:0
  cat >"$scratch/rollcalld.json" <<CONFIG
{
  "listen": "$listen",
  "upstreams": [
    {
      "name": "twilio",
      "provider": "twilio",
      "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "auth_token": "simulator",
      "insights_base_url": "$address",
      "api_base_url": "$address"
    },
    {
      "name": "signalwire",
      "provider": "signalwire",
      "project_id": "b3877c40-da60-4998-90ad-b792e98472af",
      "api_token": "simulator",
      "base_url": "$address"
    }
  ]
}
CONFIG
  start_server rollcalld "$bin/rollcalld" --config "$scratch/rollcalld.json"
  export ROLLCALL_SERVER=$address
}

grpcurl_command() {
  echo "grpcurl -plaintext -d '{\"conference_participant_summaries\": {\"conference_sid\": \"$conference\"}}'" \
    "$ROLLCALL_SERVER rollcall.v1.ParticipantService/ListParticipants"
}
