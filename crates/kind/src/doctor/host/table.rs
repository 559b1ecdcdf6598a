//! The table of what is looked at on a host: one entry, one check.

use super::facts::Host;
use super::{
    cgroups, clock, engine_checks, files, inotify, kernel, limits, native, network, resolver,
    space, user_namespace,
};
use crate::doctor::entry::Entry;

/// Those that matter before a creation, all of them quick.
pub(in crate::doctor) const FIRST: [&str; 10] = [
    "inotify-instances",
    "inotify-watches",
    "processes",
    "user-processes",
    "podman-processes",
    "open-files",
    "connections",
    "memory",
    "engine-disk",
    "temporary-disk",
];

/// All of them.
pub(in crate::doctor) static HOST_CHECKS: &[Entry<Host>] = &[
    Entry {
        id: "engine",
        title: "the engine that runs nodes",
        remedy: "start it, install one, or choose another with `--provider`",
        look: engine_checks::look_at_engine,
    },
    Entry {
        id: "engine-version",
        title: "the engine's version",
        remedy: "update the engine",
        look: engine_checks::look_at_version,
    },
    Entry {
        id: "engine-storage",
        title: "how the engine stores files",
        remedy: "choose overlayfs as its storage driver",
        look: engine_checks::look_at_storage,
    },
    Entry {
        id: "engine-rootless",
        title: "what engines without root need",
        remedy: "the commands that it names: subordinate ids, delegated controllers, user namespaces, /dev/fuse, keys",
        look: engine_checks::look_at_rootless,
    },
    Entry {
        id: "engine-host",
        title: "the machine of the engine",
        remedy: "set `networking.apiServerAddress` where the engine is on another one",
        look: network::look_at_engine_host,
    },
    Entry {
        id: "engine-disk",
        title: "space where the engine keeps nodes",
        remedy: "`kind prune`, and what the engine has for it",
        look: space::look_at_engine_disk,
    },
    Entry {
        id: "state-directory",
        title: "the native engine's directory",
        remedy: "set KIND_STATE_DIR to a directory that can be written to",
        look: files::look_at_state_directory,
    },
    Entry {
        id: "temporary-disk",
        title: "space for temporary files",
        remedy: "free some, or set TMPDIR to a directory on another disk",
        look: space::look_at_temporary_disk,
    },
    Entry {
        id: "memory",
        title: "memory that nodes could have",
        remedy: "stop clusters that are not in use, or make fewer nodes",
        look: space::look_at_memory,
    },
    Entry {
        id: "inotify-instances",
        title: "instances of inotify",
        remedy: "`--fix` raises fs.inotify.max_user_instances",
        look: inotify::look_at_instances,
    },
    Entry {
        id: "inotify-watches",
        title: "watches of inotify",
        remedy: "`--fix` raises fs.inotify.max_user_watches",
        look: inotify::look_at_watches,
    },
    Entry {
        id: "processes",
        title: "processes and threads of the host",
        remedy: "`--fix` raises kernel.pid_max or kernel.threads-max",
        look: limits::look_at_processes,
    },
    Entry {
        id: "user-processes",
        title: "processes and threads of the user",
        remedy: "raise TasksMax of the user's slice",
        look: limits::look_at_user_processes,
    },
    Entry {
        id: "podman-processes",
        title: "processes that podman lets a node have",
        remedy: "raise `pids_limit` in containers.conf",
        look: limits::look_at_podman_processes,
    },
    Entry {
        id: "open-files",
        title: "files that a program may open",
        remedy: "raise the hard limit `nofile`",
        look: limits::look_at_open_files,
    },
    Entry {
        id: "connections",
        title: "connections that the kernel follows",
        remedy: "`--fix` raises net.netfilter.nf_conntrack_max",
        look: limits::look_at_connections,
    },
    Entry {
        id: "cgroup-version",
        title: "version of control groups",
        remedy: "start the kernel with `systemd.unified_cgroup_hierarchy=1`; on WSL the lines for .wslconfig that it names",
        look: cgroups::look_at_version,
    },
    Entry {
        id: "cgroup-controllers",
        title: "controllers of control groups",
        remedy: "start the kernel without `cgroup_disable`, or use one that has them",
        look: cgroups::look_at_controllers,
    },
    Entry {
        id: "cgroup-namespaces",
        title: "namespaces of control groups",
        remedy: "use Linux 4.6 or later",
        look: cgroups::look_at_namespaces,
    },
    Entry {
        id: "user-namespace",
        title: "whether this machine is a container",
        remedy: "the feature gate KubeletInUserNamespace, and a container that may nest others",
        look: user_namespace::look_at_user_namespace,
    },
    Entry {
        id: "kernel-modules",
        title: "parts of the kernel that nodes use",
        remedy: "install the kernel's other modules; after an update of the kernel, start the host again",
        look: kernel::look_at_modules,
    },
    Entry {
        id: "machine",
        title: "architecture of host, engine and kind",
        remedy: "use a kind that was built for the engine's machine",
        look: kernel::look_at_machine,
    },
    Entry {
        id: "forwarding",
        title: "forwarding of packets",
        remedy: "`--fix` sets net.ipv4.ip_forward",
        look: kernel::look_at_forwarding,
    },
    Entry {
        id: "ipv6",
        title: "IPv6",
        remedy: "set net.ipv6.conf.all.disable_ipv6 to 0 for clusters that want it",
        look: kernel::look_at_ipv6,
    },
    Entry {
        id: "security",
        title: "AppArmor and SELinux",
        remedy: "none is needed; it tells what to know of them",
        look: kernel::look_at_security,
    },
    Entry {
        id: "routes",
        title: "addresses of pods and Services",
        remedy: "choose other subnets in the cluster's configuration",
        look: network::look_at_routes,
    },
    Entry {
        id: "native-networks",
        title: "networks of native nodes",
        remedy: "remove the route that leads elsewhere, or make the clusters of that network anew",
        look: native::look_at_networks,
    },
    Entry {
        id: "search-domains",
        title: "domains that names are completed with",
        remedy: "set `networking.dnsSearch` in the cluster's configuration",
        look: resolver::look_at_search_domains,
    },
    Entry {
        id: "proxy",
        title: "proxies",
        remedy: "name one that nodes reach",
        look: network::look_at_proxies,
    },
    Entry {
        id: "clock",
        title: "the host's clock",
        remedy: "set it",
        look: clock::look_at_clock,
    },
    Entry {
        id: "node-program",
        title: "the program for nodes",
        remedy: "use a released kind, or put `kind-node` beside it",
        look: files::look_at_node_program,
    },
    Entry {
        id: "kubeconfig",
        title: "your kubeconfig",
        remedy: "correct the file, take it back from root, or choose another with `--kubeconfig`",
        look: files::look_at_kubeconfig,
    },
    Entry {
        id: "kubeconfig-locks",
        title: "locks of kubeconfigs",
        remedy: "`--fix` removes those that were left behind",
        look: files::look_at_locks,
    },
    Entry {
        id: "docker-settings",
        title: "settings of docker's client",
        remedy: "take them back from root",
        look: files::look_at_docker_settings,
    },
    Entry {
        id: "orphans",
        title: "what crashes have left",
        remedy: "`--fix` removes networks, control groups and directories of the native engine that belong to no node",
        look: native::look_at_orphans,
    },
];
