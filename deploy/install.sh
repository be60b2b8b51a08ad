#!/bin/bash
# Installs pyproxy on Debian 12 or 13, or Ubuntu 22.04 or 24.04; docs/deploy/vm.md says more.
# Run again it upgrades: the new version is put beside the old, checked against the
# configuration, switched to, and switched back from if it does not serve.
set -euo pipefail
umask 022

readonly PROGRAM=/opt/pyproxy SETTINGS=/etc/pyproxy STATE=/var/lib/pyproxy LOGS=/var/log/pyproxy
readonly UNITS=/etc/systemd/system ROTATION=/etc/logrotate.d/pyproxy COMMAND=/usr/local/bin/pyproxy
readonly ACCOUNT=pyproxy CONFIG=$SETTINGS/pyproxy.toml VARIABLES=$SETTINGS/environment
CLONE=$(cd "$(dirname "$0")/.." && pwd)
readonly CLONE

usage() {
  cat <<END
usage: deploy/install.sh [OPTION]...      install, or upgrade what is there
       deploy/install.sh --rollback       go back to the version before
       deploy/install.sh --uninstall [--purge]

As root, from a clone. What is made once, the configuration, keys and secrets, is never
overwritten; secrets are shown when they are made, and never again.

  --egress           configure deploy/k8s-egress.toml, the way out of a cluster, on port 8080
                     (else config.example.toml, in front of a copilot-api, on port 5000)
  --listen ADDR:PORT listen there instead, on a low port too: 0.0.0.0:443
  --allow CIDR,...   with --egress: who may call (default: the private networks of IPv4)
  --host NAME        a name in the certificate that is made where there is none; repeatable
  --extra NAME       redis, otel or journald too; repeatable, to be named again when upgrading
  --wheel FILE       install this wheel instead of the clone
  --no-start         install, start nothing
  --purge            with --uninstall: configuration, keys, state and logs are deleted too
END
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

main() {
  local action=install
  purge='' egress='' listen='' start=yes wheel=''
  allow=10.0.0.0/8,172.16.0.0/12,192.168.0.0/16
  hosts=() extras=()
  while (($#)); do
    case $1 in
      -h | --help) usage && exit ;;
      --egress) egress=yes ;;
      --no-start) start='' ;;
      --purge) purge=yes ;;
      --uninstall | --rollback) action=${1#--} ;;
      --listen | --allow | --host | --extra | --wheel)
        (($# > 1)) || fail "$1 wants a value; --help says which"
        take "$1" "$2"
        shift
        ;;
      *) fail "no such option: $1; --help says which there are" ;;
    esac
    shift
  done
  [[ $EUID == 0 ]] || fail "run it as root: sudo $0"
  [[ $action == uninstall ]] || alone
  case $action in
    install) install_all ;;
    rollback) roll_back ;;
    uninstall) uninstall ;;
  esac
}

# Whoever runs beside it would delete what this one installs.
alone() {
  install -d -m 0755 -o root -g root "$PROGRAM" "$PROGRAM/releases"
  exec 9<"$PROGRAM"
  flock --nonblock 9 || fail "another install.sh is at work; wait for it to end"
}

take() {
  case $1 in
    --listen) [[ $2 =~ ^[][0-9a-fA-F.:]+:[0-9]{1,5}$ ]] && ((10#${2##*:} <= 65535)) ||
      fail "--listen wants ADDRESS:PORT" && listen=$2 ;;
    --allow) [[ $2 =~ ^[0-9a-fA-F.:/,]+$ ]] || fail "--allow wants networks: 10.0.0.0/8,..." && allow=$2 ;;
    --host) hosts+=(--host "$2") ;;
    --extra) [[ -f $CLONE/deploy/requirements/$2.txt ]] || fail "no such extra: $2" && extras+=("$2") ;;
    --wheel) [[ -f $2 ]] || fail "$2: no such file" && wheel=$(realpath "$2") ;;
  esac
}

# --- Installing

install_all() {
  choose_python
  make_account
  scratch=$(mktemp -d)
  release=$PROGRAM/releases/$(date -u +%Y%m%dT%H%M%SZ)
  trap 'rm -rf "$scratch" "$release"' EXIT # of which nothing is in force yet
  install_program
  configure "$release/bin/pyproxy"
  check "$release/bin/pyproxy" || fail "see above: mend $CONFIG, and run this again; what serves is as it was"
  install_units
  trap 'rm -rf "$scratch"' EXIT
  switch_to "$release"
  if ! run_it; then
    undo_upgrade
    exit 1
  fi
  forget_old_releases
  next_steps
}

choose_python() {
  local each
  for each in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$each" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      PYTHON=$each
      return
    fi
  done
  [[ -z ${1-} ]] || fail "needs Python 3.11 or later with its venv module"
  command -v apt-get >/dev/null || fail "needs Python 3.11 or later with its venv module, or apt-get"
  export DEBIAN_FRONTEND=noninteractive
  local packages=(python3 python3-venv)
  # Ubuntu 22.04: its python3 is 3.10, and a later one lies beside it.
  grep -qs '^VERSION_ID="22.04"' /etc/os-release && packages=(python3.11 python3.11-venv)
  say "installing ${packages[*]}"
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends "${packages[@]}" >/dev/null
  choose_python again
}

make_account() {
  if ! getent passwd "$ACCOUNT" >/dev/null; then
    useradd --system --user-group --home-dir "$STATE" --no-create-home \
      --shell /usr/sbin/nologin "$ACCOUNT"
    say "made the user $ACCOUNT"
  fi
  install -d -m 0750 -o root -g "$ACCOUNT" "$SETTINGS" "$SETTINGS/certs"
  install -d -m 0750 -o "$ACCOUNT" -g "$ACCOUNT" "$STATE" "$LOGS"
}

# Whatever pip fetches must have a hash that is written in the clone.
install_program() {
  local each locked=(--requirement "$CLONE/deploy/requirements/base.txt")
  for each in "${extras[@]}"; do locked+=(--requirement "$CLONE/deploy/requirements/$each.txt"); done
  say "installing into $release"
  "$PYTHON" -m venv "$release"
  pip_in "$release" install --require-hashes "${locked[@]}"
  [[ -n $wheel ]] || build_wheel
  pip_in "$release" install --no-deps --no-index "$wheel"
  say "installed pyproxy $("$release/bin/pyproxy" version | sed -n '1s/^pyproxy *//p')"
}

build_wheel() {
  "$PYTHON" -m venv "$scratch/venv"
  pip_in "$scratch/venv" install --require-hashes \
    --requirement "$CLONE/deploy/requirements/build.txt"
  pip_in "$scratch/venv" wheel --no-deps --no-build-isolation --wheel-dir "$scratch" "$CLONE"
  wheel=$(echo "$scratch"/pyproxy-*.whl)
}

pip_in() {
  local venv=$1
  shift
  "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"
}

# --- What is made once

# The configuration comes last, and all else is made only where it is missing: a run that was
# ended in between is taken up by the next.
configure() {
  local program=$1
  if [[ ! -e $CONFIG ]]; then
    if [[ $egress ]]; then configure_egress; else configure_gateway "$program"; fi
  elif [[ $listen || $egress ]]; then
    say "$CONFIG is there and stays as it is: --listen and --egress are for the first time"
  fi
  put_variables
  put_command
}

# Read by systemd, which wants NAME=VALUE and no quotes.
put_variables() {
  [[ ! -e $VARIABLES ]] || return 0
  printf '%s\n' "# Variables of the service, NAME=VALUE. Secrets are better in files of their own." \
    "$@" | put "$VARIABLES"
}

configure_gateway() {
  local program=$1
  : "${listen:=0.0.0.0:5000}"
  listen_there
  if [[ ! -e $SETTINGS/certs/copilot.crt ]]; then
    ((${#hosts[@]})) || hosts=(--host "$(hostname 2>/dev/null || echo localhost)" --host localhost)
    "$program" cert --dir "$SETTINGS/certs" "${hosts[@]}" >/dev/null
    say "made a certificate of an authority of its own: clients must trust $SETTINGS/certs/ca.crt"
  fi
  if [[ ! -e $SETTINGS/signing_keys.json ]]; then
    "$program" jwks new --file "$SETTINGS/signing_keys.json" >/dev/null
  fi
  if [[ ! -e $SETTINGS/api_keys.txt ]]; then
    say "a key, which is shown this once (its hash is in $SETTINGS/api_keys.txt):"
    "$program" keys new first --file "$SETTINGS/api_keys.txt"
  fi
  share "$SETTINGS"/{certs/copilot.key,signing_keys.json,api_keys.txt}
  sed -e "s|^bind = \"0.0.0.0:5000\"|bind = \"$listen\"|" \
    -e 's|^#keys_file = "" |keys_file = "api_keys.txt" |' \
    -e 's|^#signing_keys_file = "" |signing_keys_file = "signing_keys.json" |' \
    -e "s|^audit = \"stderr\"|audit = \"$LOGS/audit.log\"|" \
    "$CLONE/config.example.toml" | put "$CONFIG"
  say "made $CONFIG"
}

configure_egress() {
  : "${listen:=0.0.0.0:8080}"
  listen_there
  if [[ ! -e $SETTINGS/proxy_secret ]]; then
    "$PYTHON" -c 'import secrets; print(secrets.token_hex(32))' | put "$SETTINGS/proxy_secret"
    say "PROXY_SECRET, which the pods show as X-Proxy-Token, is shown this once:"
    cat "$SETTINGS/proxy_secret"
  fi
  put_variables "ALLOWED_CIDR=$allow" "PROXY_SECRET_FILE=$SETTINGS/proxy_secret" \
    "LISTEN_ADDRESS=${listen%:*}"
  # The address is a variable there.
  sed -e "s|:8080\"|:${listen##*:}\"|" "$CLONE/deploy/k8s-egress.toml" | put "$CONFIG"
  say "made $CONFIG"
}

# The socket unit's part, before the configuration is there: should anything fail from here on,
# the next run finds both or makes both.
listen_there() {
  [[ $listen != 0.0.0.0:5000 && ! -e $UNITS/pyproxy.socket.d/listen.conf ]] || return 0
  printf '[Socket]\nListenStream=\nListenStream=%s\n' "$listen" |
    drop_in pyproxy.socket.d/listen.conf
}

# Standard input into a file that root writes and the service reads.
put() {
  (umask 077 && cat >"$1.new")
  share "$1.new"
  mv "$1.new" "$1"
}

share() {
  chown "root:$ACCOUNT" "$@"
  chmod 0640 "$@"
}

# The command for people: with the service's configuration and variables.
put_command() {
  cat >"$COMMAND.new" <<END
#!/bin/sh
# pyproxy with the configuration and the variables of the service; made by install.sh.
export PYPROXY_CONFIG="\${PYPROXY_CONFIG:-$CONFIG}"
if [ -r $VARIABLES ]; then
  while IFS= read -r line; do
    case \$line in [A-Za-z_]*=*) export "\$line" ;; esac
  done <$VARIABLES
fi
exec $PROGRAM/venv/bin/pyproxy "\$@"
END
  chmod 0755 "$COMMAND.new"
  mv "$COMMAND.new" "$COMMAND"
}

# As the service will see it: its user, its variables, nothing else. These go by standard input,
# for any user of the machine can read what stands on a command line.
check() {
  # shellcheck disable=SC2016 # for the inner shell
  (cd "$STATE" && runuser -u "$ACCOUNT" -- env -i PATH=/usr/bin:/bin LANG=C.UTF-8 sh -c '
    while IFS= read -r line; do
      case $line in [A-Za-z_]*=*) export "$line" ;; esac
    done
    exec "$@"' sh "$1" check --config "$CONFIG" <"$VARIABLES")
}

# --- Units

install_units() {
  install -d "$UNITS"
  install -m 0644 "$CLONE"/deploy/systemd/pyproxy.{service,socket} "$UNITS"
  local version
  # Without systemd, in an image that is being made, there is no such program.
  version=$({ systemctl --version 2>/dev/null || true; } | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  if ((${version:-0} >= 253)); then
    # There `systemctl reload` waits until the new configuration is in force.
    printf '[Service]\nType=notify-reload\nExecReload=\n' |
      drop_in pyproxy.service.d/notify-reload.conf
  fi
  if [[ -d ${ROTATION%/*} && ! -e $ROTATION ]]; then
    install -m 0644 "$CLONE/deploy/logrotate/pyproxy" "$ROTATION"
  fi
}

drop_in() {
  install -d "$UNITS/${1%/*}"
  cat >"$UNITS/$1"
}

# --- Versions

switch_to() {
  local now
  now=$(readlink "$PROGRAM/venv" || true)
  if [[ -n $now && $now != "$1" ]]; then link "$now" "$PROGRAM/previous"; fi
  link "$1" "$PROGRAM/venv"
}

# At once: nobody sees a moment without it.
link() {
  ln -sfn "$1" "$2.new"
  mv -T "$2.new" "$2"
}

has_systemd() { [[ -d /run/systemd/system ]]; }

run_it() {
  if ! has_systemd; then
    say "systemd does not run here: units are in $UNITS, nothing was started"
    ! command -v systemctl >/dev/null || systemctl --quiet enable pyproxy.socket pyproxy.service
    return
  fi
  systemctl daemon-reload
  systemctl --quiet enable pyproxy.socket pyproxy.service
  [[ $start ]] || return 0
  systemctl start pyproxy.socket && systemctl restart pyproxy.service
}

undo_upgrade() {
  printf 'install.sh: %s\n' "the new version does not serve; its words:" >&2
  journalctl --unit pyproxy.service --lines 20 --no-pager --output cat >&2 || true
  if [[ -L $PROGRAM/previous ]]; then
    roll_back
    rm -rf "$PROGRAM/previous" "$release"
  else
    say "nothing older is there to go back to: 'systemctl status pyproxy' says more"
  fi
}

roll_back() {
  local before
  before=$(readlink "$PROGRAM/previous") || fail "there is no version before this one"
  [[ -d $before ]] || fail "$before is gone"
  switch_to "$before"
  if has_systemd; then systemctl restart pyproxy.service; fi
  say "back at $before"
}

# Two are kept: the one in force and the one before.
forget_old_releases() {
  local each
  for each in "$PROGRAM"/releases/*; do
    case $each in
      "$(readlink "$PROGRAM/venv")" | "$(readlink "$PROGRAM/previous" || true)") ;;
      *) rm -rf "$each" ;;
    esac
  done
}

next_steps() {
  say "" "pyproxy is installed."
  say "  $CONFIG      what is served; $VARIABLES: variables"
  say "  pyproxy check         what comes of it, and what is unwise"
  say "  systemctl reload pyproxy    after a change;  systemctl status pyproxy"
  say "  journalctl -u pyproxy -f    what it says"
  say "  docs/deploy/vm.md     firewall, certificates, upgrades"
}

# --- The end

uninstall() {
  if has_systemd; then
    systemctl --quiet disable --now pyproxy.service pyproxy.socket 2>/dev/null || true
  elif command -v systemctl >/dev/null; then
    systemctl --quiet disable pyproxy.service pyproxy.socket 2>/dev/null || true
  fi
  rm -f "$UNITS"/pyproxy.{service,socket} "$UNITS/pyproxy.service.d/notify-reload.conf" "$COMMAND"
  if ! has_systemd || systemctl daemon-reload; then :; fi
  rm -rf "$PROGRAM"
  if [[ ! $purge ]]; then
    say "pyproxy is gone; $SETTINGS, $STATE, $LOGS, the user, and listen.conf stay (--purge: not)"
    return
  fi
  rm -rf "$SETTINGS" "$STATE" "$LOGS" "$ROTATION" "$UNITS"/pyproxy.{service,socket}.d
  ! getent passwd "$ACCOUNT" >/dev/null || userdel "$ACCOUNT"
  say "pyproxy is gone, and everything of it"
}

main "$@"
