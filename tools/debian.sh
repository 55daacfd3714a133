#!/usr/bin/env bash
# Installs what `make test` needs of Debian beside Python (`make tools`); what is there already is left alone. Without root it
# names the packages and ends with 1.
set -euo pipefail

missing=()
command -v make >/dev/null || missing+=(make)
command -v git >/dev/null || missing+=(git)
python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing+=(python3 python3-venv)
command -v java >/dev/null || missing+=(default-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || missing+=(faketime)
# a docker command may be a client alone
docker info >/dev/null 2>&1 || PATH=$PATH:/usr/sbin command -v dockerd >/dev/null || missing+=(docker.io)
PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
# Chinese pages without it are boxes
compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK-*' >/dev/null || missing+=(fonts-noto-cjk)

if [ ${#missing[@]} -eq 0 ]; then
  echo "tools: everything is here"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "tools: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "tools: missing here: ${missing[*]} (Debian, as root: apt-get install ${missing[*]})" >&2
  exit 1
fi
