//! What cannot be done is told in one error, and nothing is left of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::world::World;

pub(crate) fn errors_leave_nothing_behind(world: &World) {
    for (arguments, expected) in [
        (
            &["create", "cluster", "--from", "no-such-source"][..],
            "no-such-source",
        ),
        (
            &["create", "cluster", "--image", "nowhere.example/none:v1"],
            "nowhere.example/none:v1",
        ),
        (
            &["create", "cluster", "--name", "Not_Valid"],
            "'Not_Valid' is not a valid cluster name",
        ),
        (
            &["get", "kubeconfig", "--name", "none"],
            "could not locate any control plane nodes for cluster named 'none'",
        ),
    ] {
        let answer = world.kind.run(arguments);
        assert_eq!(answer.code, 1, "{arguments:?}: {answer:#?}");
        assert!(
            answer.stderr.contains(expected),
            "{arguments:?}: {answer:#?}"
        );
    }
    let none = world.kind.run(&["get", "clusters"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    // Said about podman on every call, as the original does.
    let said = none
        .stderr
        .trim_start_matches("enabling experimental podman provider\n");
    assert_eq!(said, "No kind clusters found.\n");
    world
        .kind
        .run(&["delete", "cluster", "--name", "none"])
        .expect("deleting what is not there");
    world.nothing_is_left();
}

pub(crate) fn a_host_without_nft_is_told_so(world: &World) {
    let mut command = world
        .kind
        .command(&["create", "cluster", "--from", "debian"]);
    let output = command
        .env("PATH", world.directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the program `nft` was not found"), "{text}");
    assert!(text.contains("install the package `nftables`"), "{text}");
    world.nothing_is_left();
}

/// A disk in memory, as long as the value lives.
struct Small(PathBuf);

impl Small {
    fn mount(world: &World, name: &str, size: &str) -> Self {
        let small = world.directory.path().join(name);
        fs::create_dir(&small).unwrap();
        let mut mount = Command::new("mount");
        mount.args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={size},mode=0700"),
            "none",
        ]);
        assert!(mount.arg(&small).status().unwrap().success());
        Self(small)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A state directory of 64 MiB: less than any cluster needs.
pub(crate) fn a_full_disk_is_told_before_anything_is_made(world: &World) {
    let small = Small::mount(world, "small", "64m");
    let mut command = world
        .kind
        .command(&["create", "cluster", "--from", "debian"]);
    let output = command.env("KIND_STATE_DIR", &small.0).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("MiB are free below"), "{text}");
    drop(small);
    world.nothing_is_left();
}

pub(crate) fn a_kubeconfig_on_a_full_disk_is_told_before_anything_is_made(world: &World) {
    let small = Small::mount(world, "full", "64k");
    // What does not fit is not what is looked at here.
    let _ = fs::write(small.0.join("filler"), vec![0; 1 << 20]);
    let kubeconfig = small.0.join("config");
    let mut command =
        world
            .kind
            .command(&["create", "cluster", "--from", "debian", "--kubeconfig"]);
    let output = command.arg(&kubeconfig).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let expected = format!(
        "failed to write kubeconfig: write {}: ",
        kubeconfig.display()
    );
    assert!(text.contains(&expected), "{text}");
    assert!(
        text.contains("choose another file with `--kubeconfig`"),
        "{text}"
    );
    drop(small);
    world.nothing_is_left();
}
