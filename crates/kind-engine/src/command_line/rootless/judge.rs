//! What a host's files mean for nodes.

use super::host::Host;
use super::problem::Problem;
use crate::Port;
use crate::command_line::Flavor;

/// What is to run on the host.
#[derive(Debug, Clone, Copy)]
pub(in crate::command_line) struct Wanted<'a> {
    /// Number of nodes.
    pub(in crate::command_line) nodes: usize,
    /// Ports that they publish.
    pub(in crate::command_line) ports: &'a [Port],
}

/// Ids that an image may use beside root's.
const IDS: u64 = 65_536;
/// Containers of a new node, and so keys that it takes.
const KEYS: u64 = 25;
/// Instances of inotify that a new node takes.
const INOTIFY: u64 = 60;
/// Controllers without which the kubelet does not run.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// What is missing for nodes of an engine on its own host.
pub(in crate::command_line) fn find_problems(
    flavor: Flavor,
    host: &Host,
    wanted: Wanted<'_>,
) -> Vec<Problem> {
    let mut problems = user_namespaces(host);
    if flavor == Flavor::Podman {
        // Daemons have them already where they answer.
        problems.extend(check_subordinate_ids(host));
    }
    problems.extend(check_controllers(host));
    problems.extend(check_fuse(host));
    problems.extend(low_ports(flavor, host, wanted.ports));
    problems.extend(check_key_quota(host, wanted.nodes));
    problems.extend(check_inotify(host, wanted.nodes));
    problems
}

fn fatal(message: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem {
        message: message.into(),
        remedy: remedy.into(),
        fatal: true,
    }
}

fn minor(message: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem {
        fatal: false,
        ..fatal(message, remedy)
    }
}

/// A command that sets a sysctl for good.
fn set_sysctl(name: &str, value: u64) -> String {
    format!(
        "`echo {name}={value} | sudo tee -a /etc/sysctl.d/90-kind.conf && sudo sysctl --system`"
    )
}

fn user_namespaces(host: &Host) -> Vec<Problem> {
    let forbidden = "users may not make user namespaces";
    let mut problems = Vec::new();
    if host.max_user_namespaces == Some(0) {
        let message = format!("{forbidden} (user.max_user_namespaces is 0)");
        problems.push(fatal(
            message,
            set_sysctl("user.max_user_namespaces", 28_633),
        ));
    }
    if host.unprivileged_userns_clone == Some(0) {
        let message = format!("{forbidden} (kernel.unprivileged_userns_clone is 0)");
        problems.push(fatal(
            message,
            set_sysctl("kernel.unprivileged_userns_clone", 1),
        ));
    }
    if host.apparmor_restricts_userns == Some(1) {
        // Programs with a profile of their own may: packages of engines bring one, hand-made installations do not.
        problems.push(minor(
            "AppArmor lets only programs with a profile make user namespaces",
            format!(
                "if the engine fails with \"operation not permitted\", give its program a profile with `userns,` in \
                 /etc/apparmor.d, or lift the restriction: {}",
                set_sysctl("kernel.apparmor_restrict_unprivileged_userns", 0)
            ),
        ));
    }
    problems
}

fn check_subordinate_ids(host: &Host) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !host.id_mappers {
        problems.push(fatal(
            "the programs newuidmap and newgidmap are missing",
            "`sudo apt-get install uidmap` (Debian, Ubuntu) or `sudo dnf install shadow-utils` (Fedora)",
        ));
    }
    let uid = host.uid.to_string();
    let user = host.user.as_deref().unwrap_or(&uid);
    let files = [
        (
            host.subordinate_uids,
            "user",
            "/etc/subuid",
            "--add-subuids",
        ),
        (
            host.subordinate_gids,
            "group",
            "/etc/subgid",
            "--add-subgids",
        ),
    ];
    for (count, kind, file, option) in files {
        if let Some(count) = count.filter(|count| *count < IDS) {
            problems.push(fatal(
                format!(
                    "{user} has {count} subordinate {kind} ids in {file}, and images need {IDS}"
                ),
                format!("`sudo usermod {option} 524288-589823 {user} && podman system migrate`"),
            ));
        }
    }
    problems
}

fn check_controllers(host: &Host) -> Option<Problem> {
    let delegated = host.delegated.as_ref()?;
    let missing: Vec<_> = CONTROLLERS
        .into_iter()
        .filter(|wanted| !delegated.iter().any(|name| name == wanted))
        .collect();
    if missing.is_empty() {
        return None;
    }
    Some(fatal(
        format!(
            "cgroup controllers are not delegated to users: {}",
            missing.join(", ")
        ),
        crate::DELEGATE,
    ))
}

fn check_fuse(host: &Host) -> Option<Problem> {
    let message = "/dev/fuse is missing, which nodes get for file systems that the kernel does not mount for users";
    let remedy = "`sudo modprobe fuse`, and for later starts `echo fuse | sudo tee /etc/modules-load.d/fuse.conf`";
    (!host.fuse).then(|| fatal(message, remedy))
}

fn low_ports(flavor: Flavor, host: &Host, ports: &[Port]) -> Option<Problem> {
    let start = host.unprivileged_port_start?;
    let low = ports.iter().map(|port| port.host).filter(|port| *port != 0);
    let lowest = low.filter(|port| u64::from(*port) < start).min()?;
    let message =
        format!("port {lowest} is for root alone (net.ipv4.ip_unprivileged_port_start is {start})");
    let remedy = format!(
        "choose host ports from {start} on, or {}",
        set_sysctl("net.ipv4.ip_unprivileged_port_start", u64::from(lowest))
    );
    // Docker's helper may have been given the capability for it.
    let problem = match flavor {
        Flavor::Podman => fatal(message, remedy),
        Flavor::Docker | Flavor::Nerdctl => minor(message, remedy),
    };
    Some(problem)
}

fn check_key_quota(host: &Host, nodes: usize) -> Option<Problem> {
    let (used, limit) = host.keys?;
    let wanted = used.saturating_add(KEYS.saturating_mul(nodes as u64));
    (wanted > limit).then(|| {
        minor(
            format!("containers of {nodes} nodes may take more keys than a user may have (kernel.keys.maxkeys is {limit})"),
            format!(
                "if pods fail with \"disk quota exceeded\": {}",
                set_sysctl("kernel.keys.maxkeys", wanted.next_power_of_two().max(2000))
            ),
        )
    })
}

fn check_inotify(host: &Host, nodes: usize) -> Option<Problem> {
    let limit = host.inotify_instances?;
    let wanted = INOTIFY.saturating_mul(nodes as u64);
    (wanted > limit).then(|| {
        minor(
            format!("{nodes} nodes may watch more files than a user may (fs.inotify.max_user_instances is {limit})"),
            format!(
                "if nodes fail with \"too many open files\": {}",
                set_sysctl("fs.inotify.max_user_instances", wanted.next_power_of_two().max(512))
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::Protocol;
    use crate::command_line::rootless::{collect_warnings, error};

    fn ready() -> Host {
        Host {
            uid: 1000,
            user: Some("u".to_owned()),
            subordinate_uids: Some(IDS),
            subordinate_gids: Some(IDS),
            id_mappers: true,
            fuse: true,
            delegated: Some(
                ["cpuset", "cpu", "io", "memory", "pids"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            unprivileged_port_start: Some(1024),
            max_user_namespaces: Some(62_000),
            unprivileged_userns_clone: Some(1),
            apparmor_restricts_userns: Some(0),
            inotify_instances: Some(1024),
            keys: Some((5, 2000)),
        }
    }

    fn lacks(flavor: Flavor, host: &Host, nodes: usize, port: u16) -> Vec<Problem> {
        let listen = [127, 0, 0, 1].into();
        let ports = [0, port].map(|host| Port::new(listen, host, 80, Protocol::Tcp));
        let wanted = Wanted {
            nodes,
            ports: &ports,
        };
        find_problems(flavor, host, wanted)
    }

    #[test]
    fn a_ready_host_lacks_nothing() {
        for flavor in [Flavor::Docker, Flavor::Podman] {
            assert_eq!(lacks(flavor, &ready(), 3, 8080), []);
        }
        // Nobody tells anything, but that a device and programs are not there.
        let unknown = Host {
            fuse: true,
            ..Host::default()
        };
        assert_eq!(lacks(Flavor::Docker, &unknown, 3, 80), []);
    }

    #[test]
    fn what_is_missing_is_told_with_its_remedy() {
        type Change = fn(&mut Host);
        let cases: [(Change, &str, &str); 8] = [
            (
                |host| host.subordinate_uids = Some(0),
                "u has 0 subordinate user ids",
                "usermod --add-subuids",
            ),
            (
                |host| host.subordinate_gids = Some(9),
                "u has 9 subordinate group ids",
                "usermod --add-subgids",
            ),
            (
                |host| host.id_mappers = false,
                "newuidmap and newgidmap are missing",
                "apt-get install uidmap",
            ),
            (
                |host| host.fuse = false,
                "/dev/fuse is missing",
                "modprobe fuse",
            ),
            (
                |host| host.max_user_namespaces = Some(0),
                "may not make user namespaces",
                "user.max_user_namespaces=28633",
            ),
            (
                |host| host.unprivileged_userns_clone = Some(0),
                "may not make user namespaces",
                "unprivileged_userns_clone=1",
            ),
            (
                |host| host.delegated = Some(vec!["memory".to_owned()]),
                "delegated to users: cpu, pids",
                "Delegate=",
            ),
            (
                |_| {},
                "port 80 is for root alone",
                "ip_unprivileged_port_start=80",
            ),
        ];
        for (change, message, remedy) in cases {
            let mut host = ready();
            change(&mut host);
            let port = if message.contains("port") { 80 } else { 8080 };
            let found = lacks(Flavor::Podman, &host, 1, port);
            let failure = error("podman", &found).unwrap();
            assert!(failure.to_string().contains(message), "{failure}");
            assert!(failure.remedy().unwrap().contains(remedy), "{failure:?}");
            assert_eq!((failure.code(), found.len()), (Code::RootlessHost, 1));
        }
    }

    #[test]
    fn what_may_come_later_is_a_warning() {
        let mut host = ready();
        (host.keys, host.inotify_instances) = (Some((190, 200)), Some(128));
        host.apparmor_restricts_userns = Some(1);
        let found = lacks(Flavor::Docker, &host, 3, 80);
        assert!(error("docker", &found).is_none());
        let told = collect_warnings(&found).join("\n");
        for words in [
            "AppArmor",
            "port 80",
            "kernel.keys.maxkeys=2000",
            "max_user_instances=512",
        ] {
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn everything_is_told_at_once() {
        let host = Host {
            uid: 1000,
            subordinate_uids: Some(0),
            ..Host::default()
        };
        let failure = error("podman", &lacks(Flavor::Podman, &host, 1, 8080)).unwrap();
        let text = failure.to_string();
        assert!(
            text.contains("1000 has 0") && text.contains("newuidmap") && text.contains("fuse"),
            "{text}"
        );
        assert_eq!(failure.remedy().unwrap().lines().count(), 3);
    }
}
