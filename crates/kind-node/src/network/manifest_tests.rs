//! The manifest that runs this add-on, as far as it must agree with the program.

use crate::testing::assert_runs;

const MANIFEST: &str = include_str!("../../manifests/default-cni.yaml");

#[test]
fn the_program_is_of_this_version() {
    assert_runs(MANIFEST, "network");
}

#[test]
fn the_markers_that_tools_look_for_are_there() {
    for marker in ["template", "patch"] {
        let marker = format!("would you kindly {marker} this file");
        assert!(MANIFEST.contains(&marker), "{marker}");
    }
    assert_eq!(MANIFEST.matches("{{").count(), 1);
    assert!(MANIFEST.contains("\"{{ .PodSubnet }}\""));
}

#[test]
fn the_program_gets_every_variable_it_needs() {
    let told = |name: &'static str| {
        let line = format!("- name: {name}\n");
        MANIFEST.contains(&line).then(|| match name {
            "POD_SUBNET" => "10.244.0.0/16".to_owned(),
            // As the manifest has it, before it is applied.
            "SERVICE_SUBNET" => String::new(),
            _ => "172.18.0.2".to_owned(),
        })
    };
    let settings = super::settings::Settings::read_variables(told).unwrap();
    assert!(settings.node.is_some());
    assert!(
        MANIFEST.contains(
            std::path::Path::new(kind_node::cni::PATH)
                .parent()
                .unwrap()
                .to_str()
                .unwrap()
        )
    );
}
