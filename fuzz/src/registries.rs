//! What registries, and files about them, say.

use kind_image::registry::fuzzing;

/// Answers to questions for a manifest, headers that ask who is there, and places that servers name. Input: what it is,
/// and the text.
pub fn registry_answers(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else {
        return;
    };
    let text = std::str::from_utf8(rest);
    match (what % 3, text) {
        (0, _) => fuzzing::read_manifest(rest),
        (1, Ok(text)) => fuzzing::read_challenges(text),
        (2, Ok(text)) => {
            let (base, location) = text.split_once('\n').unwrap_or((text, ""));
            fuzzing::follow_location(base, location);
        }
        _ => {}
    }
}

/// `hosts.toml` and docker's `config.json` are read or refused. Input: which of them, and the text.
pub fn registry_files(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else {
        return;
    };
    if what & 1 == 0 {
        if let Ok(text) = std::str::from_utf8(rest) {
            fuzzing::read_hosts_file(text);
        }
        return;
    }
    let place = tempfile::tempdir().expect("there is a temporary directory");
    let path = place.path().join("config.json");
    std::fs::write(&path, rest).expect("the directory is new");
    fuzzing::read_credentials(&path);
}
