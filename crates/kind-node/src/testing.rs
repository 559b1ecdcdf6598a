//! What tests share: network namespaces, each of which ends with the thread that is in it, and manifests.

use std::fs::File;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use kind_testkit::machine::require_root;

use crate::nft::{Batch, Connection, Table};

type Job = Box<dyn FnOnce() + Send>;

/// Runs a test in a network namespace of its own, which only root can make.
pub(crate) fn in_namespace(test: impl FnOnce() + Send + 'static) {
    require_root();
    let test = thread::spawn(|| {
        kind_sys::namespace::unshare_network().unwrap();
        test();
    });
    test.join().unwrap();
}

/// A further network namespace, with a thread in it that does what it is told.
pub(crate) struct NetworkNamespace {
    jobs: mpsc::Sender<Job>,
}

impl NetworkNamespace {
    /// Makes one.
    pub(crate) fn new() -> Self {
        let (jobs, inbox) = mpsc::channel::<Job>();
        thread::spawn(move || {
            kind_sys::namespace::unshare_network().unwrap();
            inbox.into_iter().for_each(|job| job());
        });
        Self { jobs }
    }

    /// Does something there.
    pub(crate) fn run_inside<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let (sender, answer) = mpsc::channel();
        let job: Job = Box::new(move || sender.send(job()).unwrap());
        self.jobs.send(job).unwrap();
        answer.recv().unwrap()
    }

    /// The namespace itself.
    pub(crate) fn namespace(&self) -> File {
        self.run_inside(|| File::open("/proc/thread-self/ns/net").unwrap())
    }
}

/// Applies tables and gives what `nft` then lists.
pub(crate) fn listed_after(tables: &[Table]) -> String {
    let mut batch = Batch::new();
    tables.iter().for_each(|table| batch.replace_table(table));
    Connection::open_netlink()
        .unwrap()
        .apply_batch(batch)
        .unwrap();
    let listed = Command::new("nft").args(["list", "ruleset"]).output();
    let listed = listed.unwrap();
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap()
}

/// Fails unless a manifest runs this version of the program, by that word.
pub(crate) fn assert_runs(manifest: &str, word: &str) {
    let image = concat!(
        "image: kind.invalid/kind-node:v",
        env!("CARGO_PKG_VERSION"),
        "\n"
    );
    assert_eq!(manifest.matches("image:").count(), 1);
    assert!(manifest.contains(image));
    // Whoever could push an image of that name would be in every node with what an add-on may do.
    assert_eq!(manifest.matches("imagePullPolicy: Never").count(), 1);
    assert_eq!(manifest.matches("imagePullPolicy").count(), 1);
    assert!(manifest.contains(&format!("args: [{word}")));
    assert_is_confined(manifest);
}

/// Fails unless a manifest's container has no more of the kernel than it needs.
fn assert_is_confined(manifest: &str) {
    for line in [
        "            allowPrivilegeEscalation: false\n",
        "            seccompProfile:\n              type: RuntimeDefault\n",
        "            readOnlyRootFilesystem: true\n",
        "              drop: [ALL]\n",
    ] {
        assert_eq!(manifest.matches(line).count(), 1, "{line}");
    }
}

/// Fails unless a manifest has an admission policy of that name, in force, with these lines.
pub(crate) fn assert_admits(manifest: &str, name: &str, lines: &[&str]) {
    let objects = manifest.split("---\n");
    let of_admission = |kind: &str| {
        let beginning = "# needs Kubernetes 1.30\n";
        let kind = format!("kind: {kind}\nmetadata:\n  name: {name}\n");
        let mut objects = objects.clone();
        objects.find(|object| object.starts_with(beginning) && object.contains(&kind))
    };
    let policy = of_admission("ValidatingAdmissionPolicy").unwrap();
    assert!(policy.contains("failurePolicy: Fail\n"));
    for line in lines {
        assert!(policy.contains(line), "{line}");
    }
    let binding = of_admission("ValidatingAdmissionPolicyBinding").unwrap();
    assert!(binding.contains(&format!("policyName: {name}\n")));
    assert!(binding.contains("validationActions: [Deny]\n"));
}
