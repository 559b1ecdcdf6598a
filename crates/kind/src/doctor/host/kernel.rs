//! What nodes need of the kernel, and what they find on this machine.

use super::facts::Host;
use crate::doctor::fix::{Fix, sysctl_remedy};
use crate::doctor::outcome::{Outcome, Problem};

/// Parts of the kernel that nodes use, each by any of these modules.
const PARTS: [(&str, &[&str]); 5] = [
    ("layers of images", &["overlay"]),
    ("the network of nodes", &["bridge"]),
    ("links of nodes and pods", &["veth"]),
    ("rules of Services", &["nf_tables", "ip_tables"]),
    ("Services with sessionAffinity", &["xt_recent"]),
];

/// Whether a module can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Module {
    There,
    Missing,
    /// Nothing tells: it may be built in.
    Unknown,
}

pub(super) fn look_at_modules(host: &Host) -> Outcome {
    if !host.has_nodes() || host.text("proc/filesystems").is_none() {
        return Outcome::skipped("nodes would not run on this kernel");
    }
    let states = PARTS.map(|(part, modules)| {
        let states = modules.iter().map(|module| find_module(host, module));
        (part, modules, best(states))
    });
    judge_modules(&states)
}

fn best(states: impl Iterator<Item = Module>) -> Module {
    states.fold(Module::Missing, |best, state| match (best, state) {
        (Module::There, _) | (_, Module::There) => Module::There,
        (Module::Unknown, _) | (_, Module::Unknown) => Module::Unknown,
        (Module::Missing, Module::Missing) => Module::Missing,
    })
}

fn find_module(host: &Host, name: &str) -> Module {
    let filesystems = host.text("proc/filesystems").unwrap_or_default();
    let is_filesystem = filesystems
        .lines()
        .any(|line| line.split('\t').nth(1) == Some(name));
    if is_filesystem || host.path("sys/module").join(name).exists() {
        return Module::There;
    }
    let release = host.text("proc/sys/kernel/osrelease").unwrap_or_default();
    let list = |list: &str| host.text(&format!("lib/modules/{}/{list}", release.trim()));
    let Some(loadable) = list("modules.dep") else {
        return Module::Unknown;
    };
    let built_in = list("modules.builtin").unwrap_or_default();
    let is_listed = |line: &str| {
        let path = line.split(':').next().unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        file.split('.').next().map(|stem| stem.replace('-', "_")) == Some(name.to_owned())
    };
    if loadable.lines().chain(built_in.lines()).any(is_listed) {
        Module::There
    } else {
        Module::Missing
    }
}

fn judge_modules(states: &[(&str, &[&str], Module)]) -> Outcome {
    let problems = states
        .iter()
        .filter(|(.., state)| *state == Module::Missing);
    let problems = problems.map(|(part, modules, _)| {
        let module = modules.join(" or ");
        let found = format!("the kernel has nothing for {part} (module {module})");
        let remedy = "install the kernel's other modules, for example \
             `sudo apt-get install linux-modules-extra-$(uname -r)` on Ubuntu or \
             `sudo dnf install kernel-modules-extra` on Fedora; after an update of the kernel, start the host again";
        Problem::warning(found, "a kernel that has it, or its module", remedy)
    });
    let problems: Vec<_> = problems.collect();
    if problems.is_empty() && states.iter().all(|(.., state)| *state == Module::Unknown) {
        return Outcome::skipped("nothing tells what is built into the kernel");
    }
    Outcome::of_problems(problems, "overlay, bridge, veth, netfilter")
}

pub(super) fn look_at_forwarding(host: &Host) -> Outcome {
    let forwards = host.number("proc/sys/net/ipv4/ip_forward");
    match forwards {
        _ if host.engines().used().is_native() => Outcome::skipped("the native engine turns it on"),
        Some(forwards) if host.has_nodes() && host.nodes_uid() == 0 => {
            judge_forwarding(forwards != 0)
        }
        _ => Outcome::skipped("the engine has a network of its own"),
    }
}

fn judge_forwarding(forwards: bool) -> Outcome {
    const SYSCTL: &str = "net.ipv4.ip_forward";
    if forwards {
        return Outcome::passed("the host forwards packets");
    }
    let found = "the host forwards no packets: nodes reach nothing outside";
    Problem::warning(found, "net.ipv4.ip_forward of 1", sysctl_remedy(SYSCTL, 1))
        .with_fix(Fix::set_sysctl(SYSCTL, 1))
        .into()
}

/// Only clusters that ask for IPv6 need it.
pub(super) fn look_at_ipv6(host: &Host) -> Outcome {
    let has_ipv6 = host.path("proc/sys/net/ipv6").exists();
    let is_disabled = host.number("proc/sys/net/ipv6/conf/all/disable_ipv6") == Some(1);
    if host.text("proc/mounts").is_none() || !host.has_nodes() {
        return Outcome::skipped("nodes would not run on this kernel");
    }
    Outcome::passed(if has_ipv6 && !is_disabled {
        "clusters may have IPv6"
    } else {
        "the host has none: clusters can have IPv4 only"
    })
}

pub(super) fn look_at_machine(host: &Host) -> Outcome {
    let uname = rustix::system::uname();
    let machine = uname.machine().to_string_lossy().into_owned();
    let native = kind_image::oci::Platform::of_machine(&machine).architecture;
    let own = kind_image::oci::Platform::of_host().architecture;
    let engine = host.engines().info().map(|info| info.architecture.clone());
    judge_machine(&own, &native, engine.as_deref().unwrap_or_default())
}

/// Whether this program, the host's kernel and the engine's are of one kind.
fn judge_machine(own: &str, host: &str, engine: &str) -> Outcome {
    let remedy = |wanted: &str| format!("use a kind that was built for {wanted}");
    if !engine.is_empty() && engine != own {
        let found = format!("the engine's machine is {engine}, and this kind is for {own}");
        return Problem::error(found, "one architecture", remedy(engine)).into();
    }
    if host != own {
        let found = format!("this kind is for {own} and runs emulated on {host}");
        return Problem::warning(found, "a program for the host itself", remedy(host)).into();
    }
    Outcome::passed(own)
}

/// What the kernel lets only some programs do. None of it is in the way by itself.
pub(super) fn look_at_security(host: &Host) -> Outcome {
    let apparmor = host.text("sys/module/apparmor/parameters/enabled");
    let selinux = host.text("sys/fs/selinux/enforce");
    let mut on = Vec::new();
    if apparmor.is_some_and(|text| text.trim() == "Y") {
        on.push(
            "AppArmor is on: a profile of the host also counts for programs of its name in nodes",
        );
    }
    if selinux.is_some_and(|text| text.trim() == "1") {
        on.push(
            "SELinux enforces: `extraMounts` need `selinuxRelabel: true` to be readable in nodes",
        );
    }
    if on.is_empty() {
        return Outcome::passed("neither AppArmor nor SELinux is on");
    }
    Outcome::Passed(on.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::host::engines::Engines;
    use crate::doctor::host::facts::recorded_host;
    use crate::doctor::tests::{told, write};
    use kind_engine::Info;

    #[test]
    fn modules_are_loaded_built_in_or_on_disk() {
        let root = tempfile::tempdir().unwrap();
        let host = recorded_host(root.path(), Engines::opened("native", &Info::default()));
        write(
            root.path(),
            "proc/filesystems",
            "nodev\ttmpfs\n\text4\nnodev\toverlay\n",
        );
        write(root.path(), "proc/sys/kernel/osrelease", "6.1.0\n");
        assert_eq!(find_module(&host, "overlay"), Module::There);
        assert_eq!(find_module(&host, "bridge"), Module::Unknown);
        write(root.path(), "sys/module/bridge/refcnt", "0");
        assert_eq!(find_module(&host, "bridge"), Module::There);
        assert_eq!(
            told(&look_at_modules(&host)),
            "passed: overlay, bridge, veth, netfilter"
        );
        write(
            root.path(),
            "lib/modules/6.1.0/modules.builtin",
            "kernel/net/netfilter/nf-tables.ko\nkernel/net/netfilter/xt_recent.ko\n",
        );
        write(
            root.path(),
            "lib/modules/6.1.0/modules.dep",
            "kernel/net/x.ko.xz: kernel/veth.ko\n",
        );
        assert_eq!(find_module(&host, "nf_tables"), Module::There);
        assert_eq!(find_module(&host, "veth"), Module::Missing);
        assert_eq!(
            told(&look_at_modules(&host)),
            "warning: the kernel has nothing for links of nodes and pods (module veth)"
        );
    }

    #[test]
    fn machines_must_be_the_same() {
        let judged = |own, host, engine| told(&judge_machine(own, host, engine));
        assert_eq!(judged("amd64", "amd64", "amd64"), "passed: amd64");
        assert_eq!(judged("amd64", "amd64", ""), "passed: amd64");
        assert_eq!(
            judged("amd64", "arm64", ""),
            "warning: this kind is for amd64 and runs emulated on arm64"
        );
        assert_eq!(
            judged("amd64", "amd64", "arm64"),
            "error: the engine's machine is arm64, and this kind is for amd64"
        );
    }

    #[test]
    fn a_host_that_forwards_nothing_is_told() {
        assert_eq!(
            told(&judge_forwarding(true)),
            "passed: the host forwards packets"
        );
        let expected = "warning: the host forwards no packets: nodes reach nothing outside";
        assert_eq!(told(&judge_forwarding(false)), expected);
    }

    #[test]
    fn what_is_on_is_told_and_not_in_the_way() {
        let root = tempfile::tempdir().unwrap();
        let host = recorded_host(root.path(), Engines::opened("native", &Info::default()));
        assert_eq!(
            told(&look_at_security(&host)),
            "passed: neither AppArmor nor SELinux is on"
        );
        write(root.path(), "sys/module/apparmor/parameters/enabled", "Y\n");
        assert!(told(&look_at_security(&host)).starts_with("passed: AppArmor is on"));
        write(root.path(), "proc/mounts", "");
        assert!(told(&look_at_ipv6(&host)).contains("IPv4 only"));
        write(
            root.path(),
            "proc/sys/net/ipv6/conf/all/disable_ipv6",
            "0\n",
        );
        assert_eq!(told(&look_at_ipv6(&host)), "passed: clusters may have IPv6");
    }
}
