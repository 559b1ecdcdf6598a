#!/usr/bin/env bash
# Shells of Debian 12 and environment variables whose names Kubernetes allows.
#
# Since 1.30 (RelaxedEnvironmentVariableValidation, on by default since 1.32) a pod may have variables such as `data-1`
# or `my.setting`, for example from all keys of a ConfigMap (`envFrom`), and the runtime hands them on. What a shell
# starts does not see them in every image: dash and busybox' ash take such variables out of the environment without
# a word, bash hands them on. A container whose command goes through `sh -c` so loses settings that it has without.
set -euo pipefail

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
apt-get -qq -o APT::Sandbox::User=root download dash=0.5.12-2 busybox-static=1:1.35.0-4+deb12u1+b1 bash-static=5.2.15-2+b13 >/dev/null
for package in *.deb; do
    dpkg -x "$package" root
    dpkg-deb --show --showformat '${Package} ${Version}\n' "$package"
done

# Which of three variables a program sees that a shell starts.
seen() {
    env -i plain=1 data-1=2 my.setting=3 "$@" -c '/usr/bin/env' | grep -E '^(plain|data-1|my\.setting)=' | sort | paste -sd' '
}

dash=$(seen root/bin/dash)
ash=$(seen root/bin/busybox ash)
bash=$(seen root/bin/bash-static)
posix=$(seen root/bin/bash-static --posix)
echo "dash:         $dash"
echo "busybox ash:  $ash"
echo "bash:         $bash"
echo "bash --posix: $posix"
# Seen: dash and ash: plain=1; bash, also with --posix: data-1=2 my.setting=3 plain=1
all='data-1=2 my.setting=3 plain=1'
[ "$dash" = 'plain=1' ] && [ "$ash" = 'plain=1' ] && [ "$bash" = "$all" ] && [ "$posix" = "$all" ]
