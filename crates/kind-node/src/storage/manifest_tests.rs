//! The manifest that runs this add-on, as far as it must agree with the program.

use crate::testing::assert_runs;

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
