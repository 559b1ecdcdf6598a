//! The manifest that runs this add-on, as far as it must agree with the program.

use crate::testing::{assert_admits, assert_runs};

const MANIFEST: &str = include_str!("../../manifests/default-storage.yaml");

#[test]
fn the_program_is_of_this_version() {
    assert_runs(MANIFEST, "storage");
}

#[test]
fn names_and_paths_are_the_programs_own() {
    assert!(MANIFEST.contains(&format!("provisioner: {}\n", super::names::PROVISIONER)));
    assert_eq!(
        MANIFEST
            .matches(&format!("ath: {}\n", super::names::BASE))
            .count(),
        2
    );
    assert!(MANIFEST.contains("- name: NODE_NAME\n"));
}

#[test]
fn the_account_makes_and_removes_nothing_but_volumes_of_its_own() {
    let base = super::names::BASE;
    let directory = format!("'{base}/' + variables.volume.metadata.name)");
    let inside = format!("matches('^{base}/[A-Za-z0-9_.-]+$')\n");
    let provisioner = format!("== '{}'\n", super::names::PROVISIONER);
    let lines = [
        "'system:serviceaccount:local-path-storage:local-path-provisioner-service-account'\n",
        "operations: [CREATE, DELETE]\n        resources: [persistentvolumes]\n",
        &directory,
        &inside,
        &provisioner,
        "variables.volume.metadata.name == 'pvc-' + variables.volume.spec.claimRef.uid\n",
        "oldObject.status.phase == 'Released'",
    ];
    assert_admits(MANIFEST, "local-path-provisioner", &lines);
}
