//! What this host can give to a container's first process, and what engines ask for beyond that.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value};

/// Limits that no process of this host can go beyond: capabilities of the bounding set, hard resource
/// limits, and the lowest `oom_score_adj`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    capabilities: u64,
    /// Hard limits by their OCI name, `None` where there is none.
    limits: BTreeMap<&'static str, Option<u64>>,
    oom_score: i64,
}

impl Bounds {
    /// Reads them of the process that asks.
    ///
    /// # Panics
    /// If `/proc` cannot be read.
    pub fn of_host() -> Self {
        let read = |name: &str| {
            fs::read_to_string(format!("/proc/self/{name}")).expect("a readable /proc")
        };
        Self::parse(&read("status"), &read("limits"), &read("oom_score_adj"))
            .expect("the kernel's own format")
    }

    fn parse(status: &str, limits: &str, oom_score: &str) -> Option<Self> {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("CapBnd:"))?;
        let limits = LIMITS.iter().filter_map(|(title, name)| {
            let line = limits.lines().find_map(|line| line.strip_prefix(title))?;
            Some((*name, line.split_whitespace().nth(1)?.parse().ok()))
        });
        Some(Self {
            capabilities: u64::from_str_radix(line.trim(), 16).ok()?,
            limits: limits.collect(),
            oom_score: oom_score.trim().parse().ok()?,
        })
    }

    /// Whether engines that know nothing of the bounds fail here: the capability to go beyond resource
    /// limits is missing.
    pub fn are_narrow(&self) -> bool {
        !self.has("CAP_SYS_RESOURCE")
    }

    /// Whether root can have this capability. One without a number here is the runtime's business.
    fn has(&self, capability: &str) -> bool {
        let number = CAPABILITIES.iter().position(|name| *name == capability);
        number.is_none_or(|number| self.capabilities & (1 << number) != 0)
    }

    /// Takes from an OCI `process` object what this host refuses to give.
    pub fn apply(&self, process: &mut Map<String, Value>) {
        let sets = process
            .get_mut("capabilities")
            .and_then(Value::as_object_mut);
        for set in sets.into_iter().flat_map(Map::values_mut) {
            if let Some(names) = set.as_array_mut() {
                names.retain(|name| name.as_str().is_none_or(|name| self.has(name)));
            }
        }
        if !self.are_narrow() {
            return;
        }
        if let Some(limits) = process.get_mut("rlimits").and_then(Value::as_array_mut) {
            limits.retain(|limit| self.allows(limit));
        }
        let score = process.get("oomScoreAdj").and_then(Value::as_i64);
        if score.is_some_and(|score| score < self.oom_score) {
            process.remove("oomScoreAdj");
        }
    }

    fn allows(&self, limit: &Value) -> bool {
        let highest = limit["type"]
            .as_str()
            .and_then(|name| self.limits.get(name));
        match highest {
            Some(Some(highest)) => limit["hard"].as_u64().is_some_and(|hard| hard <= *highest),
            Some(None) => true,
            None => false,
        }
    }
}

/// Lines of `/proc/self/limits` by the OCI names of the limits.
const LIMITS: [(&str, &str); 16] = [
    ("Max cpu time", "RLIMIT_CPU"),
    ("Max file size", "RLIMIT_FSIZE"),
    ("Max data size", "RLIMIT_DATA"),
    ("Max stack size", "RLIMIT_STACK"),
    ("Max core file size", "RLIMIT_CORE"),
    ("Max resident set", "RLIMIT_RSS"),
    ("Max processes", "RLIMIT_NPROC"),
    ("Max open files", "RLIMIT_NOFILE"),
    ("Max locked memory", "RLIMIT_MEMLOCK"),
    ("Max address space", "RLIMIT_AS"),
    ("Max file locks", "RLIMIT_LOCKS"),
    ("Max pending signals", "RLIMIT_SIGPENDING"),
    ("Max msgqueue size", "RLIMIT_MSGQUEUE"),
    ("Max nice priority", "RLIMIT_NICE"),
    ("Max realtime priority", "RLIMIT_RTPRIO"),
    ("Max realtime timeout", "RLIMIT_RTTIME"),
];

/// Capabilities in the order of their numbers.
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 20000                files
";

    fn filtered(capabilities: &str) -> Value {
        let status = format!("Name:\tx\nCapBnd:\t{capabilities}\n");
        let bounds = Bounds::parse(&status, LIMITS, "0\n").unwrap();
        let mut process = serde_json::json!({
            "args": ["/sbin/init"],
            "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_OF_TOMORROW"]},
            "rlimits": [
                {"type": "RLIMIT_NOFILE", "hard": 1_048_576, "soft": 1024},
                {"type": "RLIMIT_NPROC", "hard": 4_194_304, "soft": 4_194_304},
                {"type": "RLIMIT_CORE", "hard": 0, "soft": 0},
            ],
            "oomScoreAdj": -500,
        });
        bounds.apply(process.as_object_mut().unwrap());
        process
    }

    #[test]
    fn a_narrow_host_gives_less() {
        let expected = serde_json::json!({
            "args": ["/sbin/init"],
            "capabilities": {"bounding": ["CAP_CHOWN", "CAP_OF_TOMORROW"]},
            "rlimits": [{"type": "RLIMIT_NPROC", "hard": 4_194_304, "soft": 4_194_304}],
        });
        assert_eq!(filtered("000001fffeffffff"), expected);
    }

    #[test]
    fn a_wide_host_gives_all() {
        let process = filtered("000001ffffffffff");
        assert_eq!(
            process["capabilities"]["bounding"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        assert_eq!(process["rlimits"].as_array().unwrap().len(), 3);
        assert_eq!(process["oomScoreAdj"], -500);
    }
}
