//! The manifest that runs this add-on, as far as it must agree with the program.

const MANIFEST: &str = include_str!("../../manifests/default-storage.yaml");

#[test]
fn the_image_is_of_this_version() {
    let image = concat!(
        "image: docker.io/kindest/kind-node:v",
        env!("CARGO_PKG_VERSION"),
        "\n"
    );
    assert_eq!(MANIFEST.matches("image:").count(), 1);
    assert!(MANIFEST.contains(image));
    assert!(MANIFEST.contains("args: [storage]\n"));
}

#[test]
fn names_and_paths_are_the_programs_own() {
    assert!(MANIFEST.contains(&format!("provisioner: {}\n", super::PROVISIONER)));
    assert_eq!(
        MANIFEST.matches(&format!("ath: {}\n", super::BASE)).count(),
        2
    );
    assert!(MANIFEST.contains("- name: NODE_NAME\n"));
}
