# Runs in the node root. Takes away what a node does not need.
cd /

# CNI plugins stand where Kubernetes looks for them, and only those that a node's network uses.
mkdir -p opt/cni/bin etc/cni/net.d
for plugin in bridge host-local loopback portmap ptp; do
    mv "usr/lib/cni/$plugin" opt/cni/bin/
done
rm -rf usr/lib/cni usr/lib/systemd/system/cni-dhcp.*

# Shims of other runtimes, and programs that runc's packages have for its tests; Perl, which only some packages'
# own scripts would use.
rm -f usr/bin/containerd-shim usr/bin/containerd-shim-runc-v1 usr/bin/containerd-stress
rm -rf usr/lib/containerd
for program in fs-idmap pidfd-kill recvtty remap-rootfs sd-helper seccompagent; do
    rm -f "usr/sbin/$program"
done
rm -rf usr/share/perl usr/share/perl5 usr/lib/x86_64-linux-gnu/perl usr/lib/aarch64-linux-gnu/perl
rm -f usr/lib/*/libperl.so.* usr/lib/*/libmvec.so.*
# Conversions from character sets that no node has, completion for shells, what packages are built with, networks
# that are not the engine's.
rm -rf usr/lib/*/gconv usr/share/bash-completion usr/share/zsh usr/share/lintian usr/share/bug usr/share/gcc
rm -f var/lib/dpkg/info/*.symbols usr/bin/localedef usr/bin/zipdetails
rm -rf usr/lib/systemd/systemd-networkd* usr/lib/systemd/network usr/bin/networkctl usr/lib/systemd/catalog \
    var/lib/systemd/catalog
rm -f usr/bin/rdma usr/sbin/devlink usr/sbin/dcb usr/sbin/tipc usr/sbin/vdpa
rm -rf var/cache/* var/lib/apt/lists/* var/log/* var/backups/* root/.[a-z]*

# systemd: only what a container needs to come up. Everything else is decided by what is enabled later.
cd /usr/lib/systemd/system
rm -f multi-user.target.wants/* local-fs.target.wants/* basic.target.wants/* timers.target.wants/* \
    graphical.target.wants/* getty.target.wants/* rescue.target.wants/* \
    initrd.target.wants/* \
    /etc/systemd/system/*.wants/*
for unit in sysinit.target.wants/*; do
    case ${unit##*/} in
    dev-hugepages.mount | dev-mqueue.mount | systemd-journald.service | \
        systemd-journal-flush.service | systemd-sysctl.service) ;;
    *) rm "$unit" ;;
    esac
done
for unit in sockets.target.wants/*; do
    case ${unit##*/} in
    systemd-journald*.socket) ;;
    *) rm "$unit" ;;
    esac
done
ln -sf multi-user.target default.target
ln -sfn /usr/lib/systemd/systemd /sbin/init
for unit in systemd-binfmt.service systemd-logind.service systemd-remount-fs.service getty.target; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done
# What makes units out of disks, terminals and kernel options: a node has none of its own.
for generator in /usr/lib/systemd/system-generators/*; do
    case ${generator##*/} in
    systemd-fstab-generator | systemd-sysv-generator) ;;
    *) rm "$generator" ;;
    esac
done
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nReadKMsg=no\n' >/etc/systemd/journald.conf.d/kind.conf

# A node sets nothing that belongs to the whole machine's kernel.
rm -f /usr/lib/sysctl.d/* /etc/sysctl.d/*

# Engines show their own files here.
: >/etc/machine-id
: >/etc/hostname
printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
rm -f /etc/mtab
ln -s ../proc/self/mounts /etc/mtab
