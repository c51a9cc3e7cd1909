#!/bin/sh
# plugins.sh folder: fetches Compose v2 and buildx of Debian 13 into the folder. Debian 12 has only their predecessors; these run there too.
# A package list of its own: the machine's stays as it is.
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/unpacked"
# The mirror that this machine uses already, for the next release.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$work/sources.list"
apt() {
  apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
cd "$work"
apt update
apt download docker-compose docker-buildx
for package in *.deb; do dpkg -x "$package" unpacked; done
mkdir -p "$1"
cp unpacked/usr/libexec/docker/cli-plugins/docker-* "$1"
