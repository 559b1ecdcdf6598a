//! What cannot be done is told in one error, and nothing is left of it.

use std::fs;
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

/// A state directory of 64 MiB: less than any cluster needs.
pub(crate) fn a_full_disk_is_told_before_anything_is_made(world: &World) {
    let small = world.directory.path().join("small");
    fs::create_dir(&small).unwrap();
    let mount = [
        "-t",
        "tmpfs",
        "-o",
        "size=64m",
        "none",
        small.to_str().unwrap(),
    ];
    assert!(
        Command::new("mount")
            .args(mount)
            .status()
            .unwrap()
            .success()
    );
    let mut command = world
        .kind
        .command(&["create", "cluster", "--from", "debian"]);
    let output = command.env("KIND_STATE_DIR", &small).output().unwrap();
    assert!(
        Command::new("umount")
            .arg(&small)
            .status()
            .unwrap()
            .success()
    );
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("MiB are free below"), "{text}");
    world.nothing_is_left();
}
