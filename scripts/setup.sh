#!/bin/sh
# SPDX-License-Identifier: MIT
# Install what a target needs: setup.sh run|cli|test|lint|linux|report
#
# Silent when nothing is missing. Where it may not install, it says exactly
# what is to be installed and fails.
set -u

# Debian package, and what to look for where there is no dpkg.
run='gcc:gcc libc6-dev:cc make:make meson:meson ninja-build:ninja
	python3:python3 pkg-config:pkg-config qemu-system-x86:qemu-system-x86_64'
cli="libpci-dev:=libpci libjansson-dev:=jansson pci.ids:@data"
test="$run $cli g++:g++ clang:clang clang-format:clang-format
	libclang-rt-14-dev:clang libcmocka-dev:=cmocka acpica-tools:iasl
	python3-jsonschema:@data
	linux-headers-amd64:@kernel"
lint="$test clang-tidy:clang-tidy cppcheck:cppcheck"
# The kernel that is booted is downloaded, not installed: see tests/linux.
linux="python3:python3 qemu-system-x86:qemu-system-x86_64 acpica-tools:iasl"

# The browser in which tests/cli/report_test.py draws the page, if it is there.
report="$test chromium:chromium"

case ${1-} in
run) wanted=$run ;;
cli) wanted="$run $cli" ;;
test) wanted=$test ;;
lint) wanted=$lint ;;
linux) wanted=$linux ;;
report) wanted=$report ;;
*)
	echo "usage: $0 run|cli|test|lint|linux|report" >&2
	exit 2
	;;
esac

# Tools whose absence is no error: the check that wants them skips itself.
have()
{
	case $1 in
	@*) return 0 ;;
	=*) pkg-config --exists "${1#=}" 2>/dev/null ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

missing_packages()
{
	if ! command -v dpkg-query >/dev/null 2>&1; then
		for entry in $wanted; do
			have "${entry#*:}" || printf ' %s' "${entry%%:*}"
		done
		return
	fi
	names=
	for entry in $wanted; do
		names="$names ${entry%%:*}"
	done
	# shellcheck disable=SC2086
	present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names \
		2>/dev/null | sed -n 's/ installed$//p')
	for name in $names; do
		echo "$present" | grep -qxF "$name" || printf ' %s' "$name"
	done
}

give_up()
{
	echo "setup: $1. Please install these packages (names of Debian 12):" >&2
	echo "   $missing" >&2
	echo "for example, as root:" >&2
	echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
	exit 1
}

missing=$(missing_packages)
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 || give_up "there is no apt-get here"
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root=sudo
else
	give_up "neither root nor sudo"
fi

echo "setup: installing$missing"
install()
{
	# Not `sudo VAR=x`: a policy may refuse to set the environment.
	$as_root apt-get update &&
		$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends $missing
}
install </dev/null || give_up "the installation failed"
missing=$(missing_packages)
[ -z "$missing" ] || give_up "still missing after the installation"
