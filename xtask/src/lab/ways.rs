//! The ways in which people run clusters.

use crate::Failure;

/// Directory of the share that holds everything the suites need.
pub(super) const DIRECTORY: &str = "kind-e2e";

/// Who runs a command in the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    /// The administrator.
    Root,
    /// One with delegated cgroups and subordinate ids, in group `docker`.
    Ordinary,
}

/// A preparation.
pub(super) struct Script {
    pub(super) user: User,
    pub(super) text: &'static str,
}

/// An engine and who uses it.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) user: User,
    /// As `KIND_E2E_ENGINE` has it.
    engine: &'static str,
    pub(super) prepare: &'static [Script],
    /// Further variables, as a shell takes them.
    environment: &'static str,
}

/// How much slower than a common machine the guest is.
const SLOWNESS: u32 = 5;

const START_DOCKER: Script = Script {
    user: User::Root,
    text: "systemctl start docker",
};
/// As the engine's own set-up tool writes it; Debian has that tool outside of PATH.
const START_ROOTLESS_DOCKER: Script = Script {
    user: User::Ordinary,
    text: "mkdir -p ~/.config/systemd/user && \
           printf '[Service]\\nType=notify\\nNotifyAccess=all\\nDelegate=yes\\nKillMode=mixed\\n\
           Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin\\n\
           ExecStart=/usr/share/docker.io/contrib/dockerd-rootless.sh\\n' \
           >~/.config/systemd/user/docker.service && \
           systemctl --user daemon-reload && systemctl --user start docker",
};

pub(super) const WAYS: [Way; 6] = [
    Way {
        name: "native",
        user: User::Root,
        engine: "native",
        prepare: &[],
        environment: "",
    },
    Way {
        name: "docker",
        user: User::Root,
        engine: "docker",
        prepare: &[],
        environment: "",
    },
    Way {
        name: "podman",
        user: User::Root,
        engine: "podman",
        prepare: &[],
        environment: "",
    },
    Way {
        name: "docker-group",
        user: User::Ordinary,
        engine: "docker",
        prepare: &[START_DOCKER],
        environment: "",
    },
    Way {
        name: "docker-rootless",
        user: User::Ordinary,
        engine: "docker",
        prepare: &[START_ROOTLESS_DOCKER],
        environment: "DOCKER_HOST=unix:///run/user/$(id -u)/docker.sock",
    },
    Way {
        name: "podman-rootless",
        user: User::Ordinary,
        engine: "podman",
        prepare: &[],
        environment: "",
    },
];

/// The way of that name.
pub(super) fn named(name: &str) -> Result<&'static Way, Failure> {
    let known: Vec<_> = WAYS.iter().map(|way| way.name).collect();
    let found = WAYS.iter().find(|way| way.name == name);
    Ok(found.ok_or(format!("{name:?} is none of {}", known.join(", ")))?)
}

impl Way {
    /// What runs a suite in the guest.
    pub(super) fn command(&self, suite: &str, arguments: &[String]) -> String {
        let quoted: Vec<_> = arguments.iter().map(|word| quote(word)).collect();
        format!(
            "cd /mnt/lab/{directory} && mkdir -p ~/e2e && PATH=$PWD:/usr/sbin:/sbin:$PATH {environment} \
             KIND_E2E_ENGINE={engine} KIND_E2E_SLOWNESS={SLOWNESS} KIND_E2E_SCRATCH=$HOME/e2e TMPDIR=$HOME/e2e \
             KIND_BINARY=$PWD/kind KIND_SAMPLE_IMAGE=$PWD/sample.tar KIND_NODE_IMAGE=$PWD/node-image.tar \
             KIND_REFERENCE=${{KIND_REFERENCE:-$PWD/reference}} ./{suite} {arguments}",
            directory = DIRECTORY,
            environment = self.environment,
            engine = self.engine,
            arguments = quoted.join(" "),
        )
    }
}

fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_is_told_its_engine_and_how_slow_the_guest_is() {
        let way = named("docker-rootless").unwrap();
        let command = way.command("clusters", &["--skip".to_owned(), "it's".to_owned()]);
        assert!(
            command.contains("KIND_E2E_ENGINE=docker KIND_E2E_SLOWNESS=5"),
            "{command}"
        );
        assert!(
            command.contains("DOCKER_HOST=unix:///run/user/"),
            "{command}"
        );
        assert!(
            command.ends_with(r"./clusters '--skip' 'it'\''s'"),
            "{command}"
        );
        assert!(named("nerdctl").is_err());
    }
}
