//! Every signature against recorded logs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// Logs as they came: the signature, the component, and what it said.
fn samples() -> Vec<(String, String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut samples = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let [id, component, "log"] = name.split('.').collect::<Vec<_>>()[..] else {
            panic!("{name} is no name of a sample");
        };
        let component = component.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        let text = fs::read_to_string(&path).unwrap();
        samples.push((id.to_owned(), component.to_owned(), text));
    }
    samples
}

#[test]
fn every_sample_is_recognised() {
    for (id, component, log) in samples() {
        let component = Component::new(&component);
        let running = examine_lines(component, "journal", log.lines());
        let ended = examine_exit(component, "journal", &log).unwrap();
        let check = running.first().unwrap_or(&ended);
        assert_eq!(check.id, id, "{component}: {log}\n{check:#?}");
        let texts = [&check.found, &check.expected, &check.remedy];
        for text in texts {
            assert!(!text.is_empty(), "{check:#?}");
            assert!(!text.contains(['{', '}']), "a hole stays open: {check:#?}");
        }
    }
}

#[test]
fn every_signature_has_a_sample() {
    let with_sample: BTreeSet<_> = samples().into_iter().map(|(id, ..)| id).collect();
    let known: BTreeSet<_> = SIGNATURES.iter().map(|known| known.id.to_owned()).collect();
    assert_eq!(known, with_sample);
}

#[test]
fn what_is_found_names_what_was_said() {
    let log =
        "E1 1 1 run.go:72] \"command failed\" err=\"open /nope.yaml: no such file or directory\"";
    let check = examine_exit(Component::new("kube-apiserver"), "a/2.log", log).unwrap();
    assert_eq!(
        check.to_string(),
        "kube-apiserver: it finds no file /nope.yaml"
    );
    assert_eq!(check.severity, Severity::Error);
    assert_eq!(check.evidence[0].path, "a/2.log");
}

#[test]
fn who_waits_for_another_may_go_on() {
    let severity = |words: &str| {
        let log = format!("E1 1 1 run.go:72] \"command failed\" err=\"{words}\"");
        let check = examine_exit(Component::new("kube-apiserver"), "", &log).unwrap();
        assert_eq!(
            (check.id.as_str(), check.found.as_str()),
            ("component-ended", words)
        );
        check.severity
    };
    assert_eq!(severity("context deadline exceeded"), Severity::Warning);
    assert_eq!(severity("something is wrong"), Severity::Error);
}
