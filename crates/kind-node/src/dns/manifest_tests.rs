//! The manifest that runs cluster DNS, as far as it must agree with the program.

use super::configuration::tests::read;
use super::options::Options;

const MANIFEST: &str = include_str!("../../manifests/default-dns.yaml");

/// The text after a key that stands once in the manifest.
fn value(key: &str) -> &str {
    let mut found = MANIFEST
        .lines()
        .filter_map(|line| line.trim().strip_prefix(key));
    let value = found.next().unwrap();
    assert_eq!(found.next(), None, "{key} stands twice");
    value.trim()
}

#[test]
fn image_is_of_this_version() {
    crate::testing::assert_runs(MANIFEST, "dns");
}

#[test]
fn arguments_and_ports_are_the_programs_own() {
    let arguments = value("args:").trim_matches(['[', ']']).split(", ");
    let domain = |text: &str| text.replace("{{ .DNSDomain }}", "cluster.local");
    let arguments: Vec<String> = arguments
        .map(|text| domain(text.trim_matches('"')))
        .collect();
    assert_eq!(arguments[0], "dns");
    let options = Options::parse_arguments(&arguments[1..]).unwrap();
    assert_eq!(options, Options::default());
    for port in [options.ready.port(), options.health.port()] {
        assert!(MANIFEST.contains(&format!("port: {port}\n")));
    }
}

#[test]
fn only_address_and_domain_are_left_to_fill_in() {
    assert_eq!(value("clusterIP:"), "\"{{ .DNSServiceIP }}\"");
    assert_eq!(MANIFEST.matches("{{").count(), 2);
}

/// The Corefile that comes with a cluster is in force as a whole, and where the manifest says.
#[test]
fn the_corefile_is_understood_and_the_default() {
    let stand_in = include_str!("../../manifests/coredns.yaml");
    let filled = stand_in.replace("{{ .DNSDomain }}", "corp.example");
    assert!(!filled.contains("{{"));
    for line in ["  replicas: 0\n", "image: COREDNS_IMAGE\n"] {
        assert!(stand_in.contains(line), "{line}");
    }
    let (_, corefile) = filled.split_once("  Corefile: |\n").unwrap();
    let (corefile, _) = corefile.split_once("\n---").unwrap();
    let lines = corefile
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line));
    let corefile: Vec<&str> = lines.collect();
    let default = super::corefile_watch::corefile_of_object(None, "corp.example").text;
    assert_eq!(corefile, default.lines().collect::<Vec<_>>());
    let (configuration, problems) = read(&default).unwrap();
    assert_eq!(problems, []);
    let kubernetes = configuration.blocks[0].kubernetes.as_ref().unwrap();
    assert_eq!(kubernetes.domain().unwrap().to_ascii(), "corp.example.");
    let metrics = configuration.metrics().pop_first().unwrap();
    assert_eq!(
        MANIFEST
            .matches(&format!("Port: {}\n", metrics.port()))
            .count(),
        2
    );
}
